package mac

import (
	"crypto/subtle"
	"fmt"

	"pbochsm/keystore"
)

// A Raw is what the operations of the raw kinds are about: arithmetic that the
// caller composes, with a card's key. They are oracles by design, for clients
// of modules that know nothing of purses, and only a key with the right raw
// answers them, in 3DES alone.
type Raw struct {
	// The key, besides Op.Key: its usage, or its place in the key table, of which
	// Op.Key and Usage are then filled in.
	Usage   keystore.Usage
	ByIndex bool
	Index   uint16

	Session bool    // MACs: with the session key of Data, not with the card's key
	Data    [8]byte // see [PBOC] 3.5
	IV      [8]byte // MACs
	Text    []byte  // whole blocks, at most MaxRaw bytes: what is MACed, padded, or enciphered, or deciphered
	Size    int     // of Claim: its left 4 or 8 bytes count
	Claim   [8]byte // KindRawMACVerify, KindRawTACVerify

	Out []byte // out: the MAC of 8 bytes, the key of 16, or as many bytes as Text
}

// MaxRaw bounds the text of a raw operation.
const MaxRaw = MaxText

// IsRaw tells whether the caller composes the operation, of which Op.Raw then
// has the rest.
func (k Kind) IsRaw() bool { return k >= KindRawMAC && k <= KindRawDecipher }

// Gives tells whether a raw operation answers with something, and does not only
// verify.
func (k Kind) Gives() bool { return k.IsRaw() && k.Mismatch() == nil }

// Raw is what a raw operation is about; nil in others.
func (op *Op) Raw() *Raw {
	if op.script == nil {
		return nil
	}
	return op.script.raw
}

// SetRaw makes r what op is about.
func (op *Op) SetRaw(r *Raw) {
	if op.script == nil {
		op.script = new(script)
	}
	op.script.raw = r
}

// check tells what is out of range.
func (r *Raw) check(op *Op) error {
	switch {
	case int(op.Levels) > len(op.Factors), op.Kind == KindRawDerive && op.Levels == 0:
		return Factors.invalid()
	case op.Kind == KindRawDerive:
		return nil
	case len(r.Text) == 0, len(r.Text) > MaxRaw, len(r.Text)%desBlock != 0:
		return fmt.Errorf("%w text", ErrInvalid)
	case op.Kind.Mismatch() != nil && r.Size != 4 && r.Size != 8:
		return fmt.Errorf("%w size", ErrInvalid)
	}
	return nil
}

// admit finds the key, and makes the chain that answers op.
func (r *Raw) admit(keys *keystore.Snapshot, op *Op, c *Chain) error {
	if err := r.check(op); err != nil {
		return err
	}
	h, err := r.find(keys, op.Key)
	if err != nil {
		return err
	}
	k := keys.Key(h)
	switch {
	case !k.Raw, !k.Usage.MayBeRaw(): // a store of an earlier version may have one
		return keystore.ErrRaw
	case op.Kind == KindRawDerive && !k.Export:
		return keystore.ErrExport
	case k.Cipher != keystore.Cipher3DES:
		return keystore.ErrAlgorithm
	case k.Levels != op.Levels:
		return Factors.invalid()
	}
	op.Key, r.Usage = KeyID{Set: k.Set, Version: k.Version, Algorithm: k.Algorithm}, k.Usage
	c.Key, c.Levels, c.Factors = h, op.Levels, op.Factors
	r.compile(op, c)
	return nil
}

// find gives the key. One that may not be used raw is looked for like any
// other: what is wrong with the others is no secret.
func (r *Raw) find(keys *keystore.Snapshot, id KeyID) (keystore.Handle, error) {
	switch {
	case r.ByIndex && r.Index == 0: // no place
		return 0, keystore.ErrNotFound
	case r.ByIndex:
		return keys.At(r.Index)
	}
	return keys.Find(keystore.Ref{Set: id.Set, Usage: r.Usage, Version: id.Version, Algorithm: id.Algorithm})
}

// compile makes the chain of an operation that is in order.
func (r *Raw) compile(op *Op, c *Chain) {
	c.Final = FinalCard
	switch op.Kind {
	case KindRawDerive: // the last level, as one would encipher it: see [PBOC] 2
		c.Levels--
		c.Mode, c.Script = ModeEncipher, &Script{Data: complemented(op.Factors[c.Levels])}
		c.Factors[c.Levels] = Factor{}
	case KindRawEncipher, KindRawDecipher:
		c.Mode, c.Script = ModeEncipher, &Script{Data: append([]byte(nil), r.Text...)}
		if op.Kind == KindRawDecipher {
			c.Mode = ModeDecipher
		}
	case KindRawTAC, KindRawTACVerify:
		c.Final = FinalTAC
		r.authenticate(c)
	default:
		if r.Session {
			c.Final, c.Data = FinalSession, r.Data
		}
		r.authenticate(c)
	}
}

// authenticate makes c MAC the text. What is as short as the text of a
// transaction is chained like one, for the sake of tokens, where the IV comes
// in with the first block.
func (r *Raw) authenticate(c *Chain) {
	if c.Final != FinalCard && len(r.Text) <= len(c.Message[0].Data) {
		c.Message[0].Blocks = uint8(len(r.Text) / desBlock)
		copy(c.Message[0].Data[:], r.Text)
		subtle.XORBytes(c.Message[0].Data[:desBlock], c.Message[0].Data[:desBlock], r.IV[:])
		return
	}
	c.Mode, c.Script = ModeRetail, &Script{Data: append([]byte(nil), r.Text...)}
	copy(c.Script.IV[:], r.IV[:])
}

// complemented is a factor and its complement.
func complemented(f Factor) []byte {
	both := append([]byte(nil), f[:]...)
	for _, b := range f {
		both = append(both, ^b)
	}
	return both
}

// judge verifies what is claimed, or hands over what was made.
func (r *Raw) judge(c *Chain, op *Op) {
	wrong := op.Kind.Mismatch()
	switch {
	case wrong != nil:
		if subtle.ConstantTimeCompare(c.MAC[0][:r.Size], r.Claim[:r.Size]) == 0 {
			op.Err = wrong
		}
	case op.Kind == KindRawMAC, op.Kind == KindRawTAC:
		r.Out = append([]byte(nil), c.MAC[0][:]...)
	default:
		r.Out = append([]byte(nil), c.Script.Data...)
	}
}
