package mac

import (
	"context"
	"slices"

	"pbochsm/keystore"
)

// A Chain is every secret computation of one operation: from a master key,
// through its diversifications, to a last key, to the MACs of at most two
// messages. It is arithmetic only; what the numbers mean is the Engine's.
type Chain struct {
	Key     keystore.Handle
	Levels  uint8 // how many of Factors are used
	Factors [keystore.MaxLevels]Factor
	Final   Final
	Mode    Mode
	Data    [8]byte // input of the session key
	Lock    [8]byte // input of the second step, with FinalLock
	Message [2]Message
	MAC     [2][8]byte // out: the last block of each CBC chain; the Engine clears it
	Script  *Script    // with every mode but ModeTransaction: instead of Message
	Err     error      // out: why there is no MAC
}

// Final is how the card's key becomes the key that MACs.
type Final uint8

// Finals.
const (
	// FinalSession: the session key 过程密钥, E3(card key, Data). See [PBOC] 3.5.
	FinalSession Final = iota + 1
	// FinalTAC: the two halves of the card's TAC key, XORed; with SM4 the key
	// itself. See [PBOC] 3.6.
	FinalTAC
	// FinalLock: from the session key of Data, with one block more, the key of
	// a grey lock: DES(session key, Lock). See [PBOC] 5.7.
	FinalLock
	// FinalCard: the card's key itself, for what is no transaction. See [PBOC] 3.2.
	FinalCard
)

// A Mode is what the last key does. A backend runs the modes it knows and
// refuses others with ErrUnsupported.
type Mode uint8

// Modes. All but the first take FinalCard, and ModeRetail all but FinalLock.
const (
	// ModeTransaction makes the MAC of each Message: CBC with a zero IV. See
	// [PBOC] 3.1.
	ModeTransaction Mode = iota
	// ModeRetail makes MAC[0] over Script.Data from Script.IV: ISO/IEC 9797-1
	// algorithm 3, and with SM4 its algorithm 1. See [PBOC] 3.2. A last key of 8
	// bytes, that of a session or of TACs, makes it CBC with single DES; SM4 has
	// none of this.
	ModeRetail
	// ModeEncipher enciphers Script.Data in its place, block by block. See
	// [PBOC] 3.3.
	ModeEncipher
	// ModeTriple makes MAC[0] over Script.Data from Script.IV with a 3DES key:
	// ISO/IEC 9797-1 algorithm 1, 3DES on every block. Script.Data may have
	// MaxText bytes, and in 3DES that of ModeRetail too.
	ModeTriple
	// ModeSingle leaves in MAC[0] where the chain of ModeRetail stands before its
	// last step: single DES with the left half, for a message that goes on.
	ModeSingle
	// ModeDecipher is the reverse of ModeEncipher, in 3DES alone.
	ModeDecipher
)

// A Script is what a chain of an issuer script computes on: whole blocks of the
// key's cipher, at most MaxScript bytes, or MaxText where the mode has them.
type Script struct {
	IV     [16]byte // the left 8 bytes with 3DES
	Data   []byte
	Insert *Insert // with ModeEncipher, or nil
}

// Clone is a copy of s with data of its own.
func (s *Script) Clone() *Script {
	own := *s
	own.Data = slices.Clone(s.Data)
	return &own
}

// An Insert is a card's key that becomes part of Script.Data before that is
// enciphered: the backend diversifies Key by the Levels and Factors of the chain
// and writes its 16 bytes from At on. So they exist in the clear in the backend
// alone.
type Insert struct {
	Key keystore.Handle
	At  int
}

// MaxScript bounds the data of a Script: a command of the longest body, padded.
const MaxScript = 272

// MaxText bounds the data of a Script that is a generic message, padded.
const MaxText = MaxMessage + 1

// MaxBlocks bounds a padded message. The longest one is the TAC input of a
// load, 24 bytes and a block of padding.
const MaxBlocks = 4

// A Message is the padded input of a transaction MAC. No blocks: no MAC.
type Message struct {
	Blocks uint8
	Data   [8 * MaxBlocks]byte
}

// A Backend runs chains with the keys of a snapshot, which it must not keep.
// It fills in MAC or Err of each chain. It returns an error if it could run
// none of them; then no MAC counts. Chains are in the order of
// their operations only where these are few.
type Backend interface {
	Run(ctx context.Context, keys *keystore.Snapshot, chains []Chain) error
}
