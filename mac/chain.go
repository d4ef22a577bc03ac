package mac

import (
	"context"

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
	Data    [8]byte // input of the session key
	Message [2]Message
	MAC     [2][8]byte // out: the last block of each CBC chain; the Engine clears it
	Err     error      // out: why there is no MAC
}

// Final is how the card's key becomes the key that MACs.
type Final uint8

// Finals.
const (
	// FinalSession: the session key 过程密钥, E3(card key, Data). See [PBOC] 3.5.
	FinalSession Final = iota + 1
	// FinalTAC: the two halves of the card's TAC key, XORed. See [PBOC] 3.6.
	FinalTAC
)

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
// none of them; then no MAC counts.
type Backend interface {
	Run(ctx context.Context, keys *keystore.Snapshot, chains []Chain) error
}
