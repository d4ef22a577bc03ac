package mac

import (
	"context"
	"slices"
	"unsafe"

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
	KindOverdraft                    // check MAC1, make MAC2
	KindOverdraftTAC                 // verify the TAC of an overdraft update
	KindLock                         // make MAC1 of a grey lock, as the terminal's PSAM does
	KindLockMAC2                     // verify MAC2 of a grey lock
	KindLockTAC                      // verify the TAC of a grey lock or of the debit that ends it
	KindLockDebit                    // check MAC2 of the grey lock, make GMAC of the debit
	KindUnlock                       // online unlock: check MAC1, make MAC2
	KindUnlockMAC3                   // verify MAC3 of an online unlock
	KindPINUnblock                   // make the command that unblocks a PIN
	KindPINReload                    // make the command that gives the card a PIN
	KindAppBlock                     // make the command that blocks an application
	KindAppUnblock                   // make the command that unblocks it
	KindCardBlock                    // make the command that blocks the card
	KindUpdateBinary                 // make the command that writes into a binary file
	KindUpdateRecord                 // make the command that writes a record
	KindExternalAuth                 // make the command that authenticates the issuer to the card
	KindInternalAuth                 // verify how the card answered INTERNAL AUTHENTICATE
	KindWriteKey                     // make the command that writes a key of the set into the card

	// No purse operations: MACs of messages of the caller's choosing. See Generic.
	KindMAC       // make a MAC
	KindMACVerify // verify one

	// No purse operations: what a caller composes. See Raw.
	KindRawMAC       // make a MAC
	KindRawMACVerify // verify one
	KindRawTAC       // make a MAC with a folded key, as a TAC is
	KindRawTACVerify // verify one
	KindRawDerive    // give the card's key
	KindRawEncipher
	KindRawDecipher

	// What a terminal without a PSAM asks: the serial is not its own. See
	// WithSerial.
	KindTerminalPurchase // KindPurchase, TerminalSerial as an answer
	KindTerminalLock     // KindLock, TerminalSerial as an answer
	numKinds
)

// numPurse bounds the kinds of purse operations.
const numPurse = KindMAC

// An Op is one purse operation: a value, to be filled in, handed to an HSM in
// a slice, and read again. Its fields are reached through the dictionary
// (Amount.Bytes(&op)); Load, Purchase and the other transaction types make an
// Op from typed fields.
type Op struct {
	Kind    Kind
	Levels  uint8 // how many of Factors are used
	Key     KeyID
	Factors [keystore.MaxLevels]Factor // outermost authority first, the card last
	fields  [fieldRoom]byte
	script  *script // what an issuer script has besides; nil in transactions

	Answer [4]byte // out: the MAC that was made; zero unless Err is nil
	Err    error   // out: nil, or why the operation was refused
}

// Fixed are the bytes of op that hold its kind, its key, its factors and those
// fields that have a place of their own: what two operations of a kind differ in.
// It is for those who make one like another, many times, and have found out
// where a field stands by way of Bytes. Behind the last field there are at least
// 7 bytes more.
func (op *Op) Fixed() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(op)), unsafe.Offsetof(op.fields)+fieldRoom) //nolint:gosec // all bytes up to there are plain ones of op
}

// A script is what the Op of an issuer script, of a generic MAC or of a raw
// operation has more than that of a transaction.
type script struct {
	content []byte // the field Content
	command []byte // out
	generic *Generic
	raw     *Raw
}

// Clone is a copy of op that shares nothing with it.
func (op *Op) Clone() Op {
	own := *op
	if op.script != nil {
		own.script = &script{content: slices.Clone(op.script.content), command: slices.Clone(op.script.command)}
	}
	if g := op.Generic(); g != nil {
		generic := *g
		generic.Message = slices.Clone(g.Message)
		own.script.generic = &generic
	}
	if r := op.Raw(); r != nil {
		raw := *r
		raw.Text, raw.Out = slices.Clone(r.Text), slices.Clone(r.Out)
		own.script.raw = &raw
	}
	return own
}

// Command is the command that an issuer script makes, as the card takes it; nil
// unless Err is.
func (op *Op) Command() []byte {
	if op.script == nil {
		return nil
	}
	return op.script.command
}

// SetCommand keeps command as the answer of op.
func (op *Op) SetCommand(command []byte) {
	if op.script == nil {
		if command == nil {
			return
		}
		op.script = new(script)
	}
	op.script.command = command
}

// Withdraw takes back whatever op was answered.
func (op *Op) Withdraw() {
	op.Answer = [4]byte{}
	if op.script == nil {
		return
	}
	op.script.command = nil
	if g := op.Generic(); g != nil {
		g.withdraw()
	}
	if r := op.Raw(); r != nil {
		clear(r.Out)
		r.Out = nil
	}
}

func (op *Op) content() []byte {
	if op.script == nil {
		return nil
	}
	return op.script.content
}

func (op *Op) setContent(n int) {
	if op.script == nil {
		op.script = new(script)
	}
	op.script.content = make([]byte, n)
}

// An HSM answers purse operations. Do fills in Answer and Err of each. It
// returns an error only if it could answer none of them; then every Err is
// set to it as well.
type HSM interface {
	Do(ctx context.Context, ops []Op) error
}

// A Prompt HSM or Backend may say that it waits for nothing, no token, disk or
// network, but computes in this process: if it takes long, the processor was
// somewhere else.
type Prompt interface {
	Prompt() bool
}

// isPrompt tells whether an HSM or Backend says that it is.
func isPrompt(x any) bool {
	p, ok := x.(Prompt)
	return ok && p.Prompt()
}

// one asks hsm a single question.
func one(ctx context.Context, hsm HSM, op Op) ([4]byte, error) {
	ops := [1]Op{op}
	if err := hsm.Do(ctx, ops[:]); err != nil {
		return [4]byte{}, err
	}
	return ops[0].Answer, ops[0].Err
}
