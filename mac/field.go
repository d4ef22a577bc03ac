package mac

import "errors"

// A Field is one datum of a purse transaction. The dictionary of fields is
// shared by everything that must agree on them: a MAC input is a list of
// fields, the body of a wire command is a list of fields in hexadecimal, a
// command-line flag and a member of a vector are a field by its name.
//
// Integers are big-endian and money is binary fen, as on the card; dates and
// times are BCD. See [PBOC] 1.
type Field uint8

// The fields of an Op. MAC1, MAC2, MAC3 and TAC as inputs are what the other
// side claims; an Op holds at most one of them.
const (
	Random         Field = iota // 4: ICC random 伪随机数, from the answer to INITIALIZE
	OnlineCounter               // 2: online transaction counter 联机交易序号, before its increment
	OfflineCounter              // 2: offline transaction counter 脱机交易序号, before its increment
	TerminalSerial              // 4: terminal transaction serial 终端交易序号
	OldBalance                  // 4: balance before the transaction 余额
	NewBalance                  // 4: balance after the transaction
	Amount                      // 4: amount of the transaction 交易金额
	Type                        // 1: transaction type identifier 交易类型标识
	Terminal                    // 6: terminal number 终端机编号
	Date                        // 4: date 交易日期, YYYYMMDD
	Time                        // 3: time 交易时间, HHMMSS
	AuthCode                    // 0 or 9: authentication code 安全认证识别码 of CJ/T 166
	MAC1                        // 4
	MAC2                        // 4
	MAC3                        // 4
	TAC                         // 4
	GMAC                        // 4: MAC of the debit that ends a grey lock; an answer, never an input
	OldLimit                    // 3: overdraft limit 透支限额 before its update
	NewLimit                    // 3: overdraft limit after its update
	TerminalRandom              // 4: random of the terminal 终端随机数, in a grey lock

	// Of issuer scripts; see [PBOC] 6.
	P1         // 1: parameter of the command
	P2         // 1
	Challenge  // 0 to 16: the card's answer to GET CHALLENGE 随机数
	PIN        // 2 to 8: the PIN 口令 that the card is to have
	Enciphered // 1: 01 if the data travel enciphered, 00 if in the clear
	Content    // 1 to 239: what is to be written
	Response   // 8 or 16: what the card made of a challenge to it

	// Of the key that is written into a card, by its identity in the set of the
	// key that controls it.
	NewUsage     // 1: a keystore.Usage
	NewVersion   // 1
	NewAlgorithm // 1
	KeyHeader    // 3 to 5: what stands before the key in the card's frame

	serialLow  // 2: the rightmost bytes of TerminalSerial, in session keys only
	counterLow // 1: the rightmost byte of OfflineCounter, in a MAC2 only
	numFields

	// Factors and Key are no data of a transaction; they name the part of an
	// Op that an error is about.
	Factors Field = 0xFE
	Key     Field = 0xFF
)

// place is where a field lives in Op.fields. MAC1, MAC2, MAC3 and TAC share
// one place, and the fields of issuer scripts lie where those of transactions
// do: no operation has both. A counted field has its length in its first byte.
// A long field lives in the Op's script instead.
type place struct {
	name    string
	zh      string
	at      uint8
	width   uint8
	least   uint8 // of a counted field: how short it may be if it is there
	counted bool
	long    bool
}

// fieldBytes is where the places of fields end, and fieldRoom has besides what a
// piece of a layout takes that begins there; see pieces.go.
const (
	fieldBytes = 62
	fieldRoom  = fieldBytes + pieceSize - 1

	typeAt = 14
	dateAt = 21 // Time follows
)

// The places of a load are those of its request, from first to last, so that
// they can be read, and copied into a message, many at once.
var places = [numFields]place{
	Random:         {name: "random", zh: "伪随机数", at: 0, width: 4},
	OnlineCounter:  {name: "online-counter", zh: "联机交易序号", at: 4, width: 2},
	OldBalance:     {name: "balance", zh: "交易前余额", at: 6, width: 4},
	Amount:         {name: "amount", zh: "交易金额", at: 10, width: 4},
	Type:           {name: "type", zh: "交易类型标识", at: typeAt, width: 1},
	Terminal:       {name: "terminal", zh: "终端机编号", at: 15, width: 6},
	Date:           {name: "date", zh: "交易日期", at: dateAt, width: 4},
	Time:           {name: "time", zh: "交易时间", at: dateAt + 4, width: 3},
	MAC1:           {name: "mac1", zh: "MAC1", at: 28, width: 4},
	MAC2:           {name: "mac2", zh: "MAC2", at: 28, width: 4},
	MAC3:           {name: "mac3", zh: "MAC3", at: 28, width: 4},
	TAC:            {name: "tac", zh: "交易验证码", at: 28, width: 4},
	GMAC:           {name: "gmac", zh: "GMAC", at: 28, width: 4},
	AuthCode:       {name: "auth-code", zh: "安全认证识别码", at: 32, width: 9, least: 9, counted: true},
	OfflineCounter: {name: "offline-counter", zh: "脱机交易序号", at: 42, width: 2},
	TerminalSerial: {name: "terminal-serial", zh: "终端交易序号", at: 44, width: 4},
	NewBalance:     {name: "new-balance", zh: "交易后余额", at: 48, width: 4},
	OldLimit:       {name: "limit", zh: "原透支限额", at: 52, width: 3},
	NewLimit:       {name: "new-limit", zh: "新透支限额", at: 55, width: 3},
	TerminalRandom: {name: "terminal-random", zh: "终端随机数", at: 58, width: 4},
	P1:             {name: "p1", zh: "参数P1", at: 0, width: 1},
	P2:             {name: "p2", zh: "参数P2", at: 1, width: 1},
	Challenge:      {name: "challenge", zh: "随机数", at: 2, width: 16, least: 4, counted: true},
	PIN:            {name: "pin", zh: "口令", at: 19, width: 8, least: 2, counted: true},
	Enciphered:     {name: "enciphered", zh: "是否加密", at: 28, width: 1},
	Response:       {name: "response", zh: "应答", at: 29, width: 16, least: 8, counted: true},
	NewUsage:       {name: "new-usage", zh: "新密钥用途", at: 46, width: 1},
	NewVersion:     {name: "new-version", zh: "新密钥版本", at: 47, width: 1},
	NewAlgorithm:   {name: "new-algorithm", zh: "新密钥算法标识", at: 48, width: 1},
	KeyHeader:      {name: "key-header", zh: "密钥头", at: 49, width: 5, least: 3, counted: true},
	Content:        {name: "content", zh: "数据", width: maxContent, least: 1, counted: true, long: true},
	counterLow:     {name: "offline-counter", zh: "脱机交易序号", at: 43, width: 1},
	serialLow:      {name: "terminal-serial", zh: "终端交易序号", at: 46, width: 2},
}

// String gives the name of the field, as flags and vectors spell it.
func (f Field) String() string {
	switch {
	case f < numFields:
		return places[f].name
	case f == Factors:
		return "factors"
	case f == Key:
		return "key"
	}
	return "field?"
}

// Chinese gives the field's term in the standard.
func (f Field) Chinese() string {
	switch {
	case f < numFields:
		return places[f].zh
	case f == Factors:
		return "分散因子"
	case f == Key:
		return "密钥"
	}
	return ""
}

// Confidential tells that the field may be a secret of the card holder or the
// issuer, so that no log has it.
func (f Field) Confidential() bool { return f == PIN || f == Content }

// Width is the size of the field in bytes, the largest one if it is counted.
func (f Field) Width() int { return int(places[f].width) }

// Counted tells that the field may be absent or shorter than Width, so that
// its length travels with it.
func (f Field) Counted() bool { return places[f].counted }

// Least is how short a counted field may be, if it is there at all.
func (f Field) Least() int { return int(places[f].least) }

// Bytes is the field's place in op: what is written there is the field's
// value. A counted field is as long as SetLen made it, at first absent.
func (f Field) Bytes(op *Op) []byte {
	p := &places[f]
	if p.long {
		return op.content()
	}
	if p.counted {
		return op.fields[p.at+1 : p.at+1+op.fields[p.at]]
	}
	return op.fields[p.at : p.at+p.width]
}

// SetLen sets the length of a counted field, at most Width, and tells whether
// it could.
func (f Field) SetLen(op *Op, n int) bool {
	p := &places[f]
	if !p.counted || n < 0 || n > int(p.width) {
		return false
	}
	if p.long {
		op.setContent(n)
		return true
	}
	op.fields[p.at] = byte(n)
	return true
}

// invalid is the error of a field whose value is out of range.
func (f Field) invalid() error { return fieldError(f) }

// A fieldError is ErrInvalid with the name of the field.
type fieldError Field

// Error names the field and never its value.
func (e fieldError) Error() string { return "mac: invalid " + Field(e).String() }

// Unwrap is ErrInvalid.
func (e fieldError) Unwrap() error { return ErrInvalid }

// InvalidField is the field that err, or what it wraps, says is out of range,
// if it says so. A refusal that came over a wire names none.
func InvalidField(err error) (Field, bool) {
	var f fieldError
	ok := errors.As(err, &f)
	return Field(f), ok
}
