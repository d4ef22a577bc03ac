package keystore

import (
	"errors"
	"fmt"
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
)

// A Cipher is the block cipher of a key.
type Cipher uint8

// Ciphers.
const (
	Cipher3DES Cipher = iota + 1 // two-key 3DES-EDE, 16 bytes
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

// A Key is what is known of a key besides its bytes. Every attribute is sealed
// and authenticated together with the key that it belongs to.
type Key struct {
	Ref
	Index  uint16 // place in the key table, for commands that say K+3H; never reused
	Cipher Cipher
	Levels uint8 // diversification levels from this key to the card's; 0 = it is a card's key
	State  State
	KCV    KCV
}

// A KCV is a key check value 校验值: the leftmost 3 bytes of the encryption of a
// block of zeros.
type KCV [3]byte

// String gives six upper-case hexadecimal digits.
func (k KCV) String() string { return fmt.Sprintf("%X", k[:]) }

// A Secret is the 16 bytes of a key. It cannot be printed: every fmt verb
// writes a placeholder and JSON refuses it.
type Secret [16]byte

// Format writes a placeholder whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("<secret>")) }

// MarshalJSON refuses: a secret leaves the program only inside a sealed file.
func (Secret) MarshalJSON() ([]byte, error) {
	return nil, errors.New("keystore: a secret has no JSON form")
}

// An Entry is a key with its bytes, on its way into a store.
type Entry struct {
	Key
	Secret Secret
}
