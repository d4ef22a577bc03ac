package mac

import (
	"context"

	"pbochsm/keystore"
)

// A Kind is what an Op asks for.
type Kind uint8

// Kinds of this version. Those that answer with a MAC make it; the others
// verify one and answer nothing but yes or no.
const (
	KindLoad         Kind = iota + 1 // check MAC1, make MAC2
	KindLoadTAC                      // verify the TAC of a load
	KindUnload                       // check MAC1, make MAC2
	KindUnloadMAC3                   // verify MAC3
	KindPurchase                     // make MAC1, as the terminal's PSAM does
	KindPurchaseMAC2                 // verify MAC2
	KindPurchaseTAC                  // verify the TAC of a purchase
	numKinds
)

// An Op is one purse operation: a value, to be filled in, handed to an HSM in
// a slice, and read again. Its fields are reached through the dictionary
// (Amount.Bytes(&op)); Load, Purchase and the other transaction types make an
// Op from typed fields.
type Op struct {
	Kind    Kind
	Levels  uint8 // how many of Factors are used
	Key     KeyID
	Factors [keystore.MaxLevels]Factor // outermost authority first, the card last
	fields  [fieldBytes]byte

	Answer [4]byte // out: the MAC that was made; zero unless Err is nil
	Err    error   // out: nil, or why the operation was refused
}

// An HSM answers purse operations. Do fills in Answer and Err of each. It
// returns an error only if it could answer none of them; then every Err is
// set to it as well.
type HSM interface {
	Do(ctx context.Context, ops []Op) error
}

// one asks hsm a single question.
func one(ctx context.Context, hsm HSM, op Op) ([4]byte, error) {
	ops := [1]Op{op}
	if err := hsm.Do(ctx, ops[:]); err != nil {
		return [4]byte{}, err
	}
	return ops[0].Answer, ops[0].Err
}
