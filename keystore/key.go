package keystore

import (
	"errors"
	"fmt"
	"strings"
)

// Errors that callers decide on. The wire turns each into its status
// (docs/protocol.md) and the client turns the status back, so errors.Is gives
// the same answer on both sides.
var (
	ErrNotFound  = errors.New("keystore: no such key")
	ErrUsage     = errors.New("keystore: key usage does not fit")
	ErrAlgorithm = errors.New("keystore: key length or algorithm does not fit")
	ErrRetired   = errors.New("keystore: key is not active")
	ErrSealed    = errors.New("keystore: sealed")
	ErrAttribute = errors.New("keystore: key attribute missing or out of range")
	ErrIndex     = errors.New("keystore: index beyond the key table")

	// ErrRaw is a key that is asked for what only one with the right raw, or
	// export, may do.
	ErrRaw = fmt.Errorf("%w: the key has not the right to be used raw", ErrUsage)
	// ErrExport is the same of the right export.
	ErrExport = fmt.Errorf("%w: the key has not the right to be exported from", ErrUsage)
)

// A Usage says the one thing that a key may do. The names are those of the
// purse standard's key roles (主密钥 of 圈存, 消费 …).
type Usage uint8

// Usages, with the card's own key of each role in brackets.
const (
	UsageLoad      Usage = iota + 1 // 圈存 (DLK)
	UsageUnload                     // 圈提 (DULK)
	UsagePurchase                   // 消费, 取现 (DPK)
	UsageTAC                        // 交易验证码 (DTK)
	UsageOverdraft                  // 修改透支限额 (DUK)

	UsageUnlock       // 联机解扣 (DUGK)
	UsagePINUnblock   // PIN解锁 (DPUK)
	UsagePINReload    // PIN重装 (DPRK)
	UsageMaintenance  // 应用维护, 线路保护 (DAMK)
	UsageAppBlock     // 应用锁定 (DABK)
	UsageAppUnblock   // 应用解锁 (DAUK)
	UsageCardControl  // 卡片维护: line protection of the card's root, the MF
	UsageAuthenticate // 外部认证, 内部认证

	UsageMAC // 报文鉴别: MACs of messages that have nothing to do with a card

	UsageKeyControl // 主控密钥: under which keys are written into a card
)

// OfCard tells whether u is a usage that a card's keys may have.
func (u Usage) OfCard() bool { return usageNames.has(uint8(u)) && u != UsageMAC }

// MayBeRaw tells whether a key of usage u may have the right raw. One that
// controls others may not: whoever may decipher with it has all of them, out of
// the commands that write them.
func (u Usage) MayBeRaw() bool { return u != UsageKeyControl }

// A Cipher is the block cipher of a key.
type Cipher uint8

// Ciphers.
const (
	Cipher3DES Cipher = iota + 1 // two-key 3DES-EDE, 16 bytes
	CipherSM4                    // SM4, 16 bytes
)

// A State is where a key stands in its life: pending, active, retired. Only an
// active key answers.
type State uint8

// States. A key never goes back to pending.
const (
	StatePending State = iota + 1
	StateActive
	StateRetired
)

// MaxLevels bounds the diversification levels of a key.
const MaxLevels = 4

// maxIndex is the last place in the key table that three hexadecimal digits can
// name. Places start at 1; a key with index 0 is in no table.
const maxIndex = 0xFFF

// A Ref is the identity of a key: the key set of one card scheme, the usage,
// and the key version (密钥版本) and algorithm identifier (算法标识) as the card
// reports them in its INITIALIZE answer.
type Ref struct {
	Set       byte
	Usage     Usage
	Version   byte
	Algorithm byte
}

// String gives set/usage/version/algorithm, as in "01/load/01/00".
func (r Ref) String() string {
	return fmt.Sprintf("%02X/%s/%02X/%02X", r.Set, r.Usage, r.Version, r.Algorithm)
}

// ParseRef reads what String gives.
func ParseRef(text string) (Ref, error) {
	parts := strings.Split(text, "/")
	if len(parts) != 4 {
		return Ref{}, fmt.Errorf("keystore: %q is not set/usage/version/algorithm", text)
	}
	var set, version, algorithm hexByte
	var usage Usage
	err := errors.Join(set.UnmarshalText([]byte(parts[0])), usage.UnmarshalText([]byte(parts[1])),
		version.UnmarshalText([]byte(parts[2])), algorithm.UnmarshalText([]byte(parts[3])))
	if err != nil {
		return Ref{}, fmt.Errorf("keystore: %q is not set/usage/version/algorithm: %w", text, err)
	}
	return Ref{Set: byte(set), Usage: usage, Version: byte(version), Algorithm: byte(algorithm)}, nil
}

// A Key is what is known of a key besides its bytes. Every attribute is sealed
// and authenticated together with the key that it belongs to.
type Key struct {
	Ref
	Index  uint16 // place in the key table, for commands that say K+3H; 0 = none; never reused
	Cipher Cipher
	Levels uint8 // diversification levels from this key to the card's; 0 = it is a card's key
	State  State
	KCV    KCV
	Home   Home // where its bytes are; the zero value is this store's own file

	// Raw lets whoever asks have MACs of, and encipher and decipher, what they
	// like with the cards' keys; Export lets them have those keys. A command of
	// the purse needs neither. See docs/sjl05.md.
	Raw, Export bool
}

// check refuses a key with an attribute that is missing or out of range.
func (k *Key) check() error {
	switch {
	case !usageNames.has(uint8(k.Usage)):
		return fmt.Errorf("%w: usage", ErrAttribute)
	case !cipherNames.has(uint8(k.Cipher)):
		return fmt.Errorf("%w: cipher", ErrAttribute)
	case !stateNames.has(uint8(k.State)):
		return fmt.Errorf("%w: state", ErrAttribute)
	case k.Levels > MaxLevels:
		return fmt.Errorf("%w: %d levels", ErrAttribute, k.Levels)
	case k.Usage == UsageMAC && k.Levels > 0:
		return fmt.Errorf("%w: %d levels, but a key for generic MACs is no card's", ErrAttribute, k.Levels)
	case k.Export && !k.Raw:
		return fmt.Errorf("%w: export without raw", ErrAttribute)
	case k.Index > maxIndex:
		return fmt.Errorf("%w: index %d", ErrAttribute, k.Index)
	}
	return k.Home.check()
}

// An Entry is a key with its bytes, on its way into a store. Of a key that lives
// in a token the Secret is zero.
type Entry struct {
	Key
	Secret Secret
}
