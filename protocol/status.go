package protocol

import (
	"errors"
	"fmt"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// Errors of a request that have no home below this package.
var (
	// ErrPermission is a command that this client may not give, or not now.
	ErrPermission = errors.New("protocol: not permitted")
	// ErrCommand is a command that is unknown or disabled.
	ErrCommand = errors.New("protocol: unknown command")
	// ErrBusy is a request that had waited for too long to be begun. Nothing of
	// it was done; another server, or this one later, may answer it.
	ErrBusy = fmt.Errorf("protocol: too busy: %w", mac.ErrUnavailable)
	// ErrInternal is what remains: the log of the server knows more.
	ErrInternal = errors.New("protocol: internal error")
)

// A Status is the outcome of a request on the wire, two decimal digits. 00 is
// done; the others keep their Racal meaning. See [WIRE].
type Status uint8

// statuses is the table, read in both directions. Where an error fits two
// lines the first counts.
var statuses = [...]StatusText{
	{0, nil, "done", "成功"},
	{1, mac.ErrVerify, "verification failed: MAC or TAC wrong", "验证失败:MAC或TAC错"},
	{12, keystore.ErrNotFound, "no such key", "密钥不存在"},
	{13, keystore.ErrSealed, "keystore sealed, or master key error", "密钥库未解封或主密钥错"},
	{15, mac.ErrInvalid, "invalid field", "输入数据无效"},
	{16, ErrBusy, "too busy: the request waited too long and was not begun", "繁忙:请求等待过久,未执行"},
	{17, ErrPermission, "not permitted for this client, or not in the authorized state", "未授权"},
	{20, mac.ErrUnavailable, "token unavailable", "密码设备不可用"},
	{21, keystore.ErrIndex, "index out of range", "索引越界"},
	{27, keystore.ErrAlgorithm, "key length or algorithm does not fit", "密钥长度或算法不符"},
	{28, keystore.ErrUsage, "key usage does not fit", "密钥用途不符"},
	{29, keystore.ErrRetired, "key retired or not active", "密钥已停用或未启用"},
	{30, mac.ErrBudget, "failure budget of this card or client spent", "失败次数超限"},
	{statusInternal, ErrInternal, "internal error", "内部错误"},
	{47, mac.ErrUnsupported, "algorithm not available on this backend", "后端不支持该算法"},
	{51, ErrHeader, "header error; the connection is closed", "报文头错,随后断开"},
	{68, ErrCommand, "unknown or disabled command", "命令不存在或被禁用"},
	{80, ErrLength, "length error; the connection is closed", "报文长度错,随后断开"},
}

const statusInternal Status = 41

// numStatuses is how many values two digits have.
const numStatuses = 100

// A StatusText is one line of the status table.
type StatusText struct {
	Status  Status
	Err     error // the sentinel that means the same in Go; nil for done
	Text    string
	Chinese string
}

// Statuses gives the status table, in ascending order.
func Statuses() []StatusText { return append([]StatusText(nil), statuses[:]...) }

// StatusOf is the status that tells err to the other side. An error that the
// table does not know is internal.
func StatusOf(err error) Status {
	if err == nil {
		return 0
	}
	for i := range statuses[1:] {
		if s := &statuses[i+1]; errors.Is(err, s.Err) {
			return s.Status
		}
	}
	return statusInternal
}

// Digits gives the two digits of the wire.
func (s Status) Digits() [statusSize]byte {
	return [statusSize]byte{'0' + byte(s/10%10), '0' + byte(s%10)}
}

// String gives the two digits.
func (s Status) String() string {
	d := s.Digits()
	return string(d[:])
}

func (s Status) text() *StatusText {
	for i := range statuses {
		if statuses[i].Status == s {
			return &statuses[i]
		}
	}
	return nil
}

// A StatusError is a refusal as it came over the wire. It unwraps to the error
// that the server had, as far as the status tells.
type StatusError Status

// Error gives the digits and their meaning.
func (e StatusError) Error() string {
	text := "not in the table"
	if t := Status(e).text(); t != nil {
		text = t.Text
	}
	return "protocol: status " + Status(e).String() + ": " + text
}

// Unwrap is the sentinel of the table, ErrInternal for a status that it does
// not have.
func (e StatusError) Unwrap() error {
	if t := Status(e).text(); t != nil {
		return t.Err
	}
	return ErrInternal
}

// errorOf turns a status back into the error of an operation of kind k. Which
// MAC was wrong follows from the kind.
func (s Status) errorOf(k mac.Kind) error {
	switch {
	case s == 0:
		return nil
	case s == StatusOf(mac.ErrVerify) && k.Mismatch() != nil:
		return k.Mismatch()
	}
	return StatusError(s)
}
