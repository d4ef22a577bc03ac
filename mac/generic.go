package mac

import (
	"crypto/subtle"
	"fmt"

	"pbochsm/keystore"
)

// A Generic is what the operations KindMAC and KindMACVerify are about: a
// message of the caller's choosing, which only a key of the usage for generic
// MACs ever MACs. The MACs are those of ISO/IEC 9797-1 with 3DES.
type Generic struct {
	// ByIndex names the key by Index, its place in the key table, instead of by
	// Op.Key, which is then filled in.
	ByIndex bool
	Index   uint16

	Algorithm uint8   // 1: 3DES on every block; 3: single DES, and 3DES on the last
	Padding   uint8   // method of the standard: 1 zeros, 2 a bit and zeros; 0 is none
	Part      Part    // which part of the message Message is
	IV        [8]byte // of a middle or last part: the Chain of the part before
	Message   []byte
	Size      int // bytes of the MAC: 4 or 8

	Claim [8]byte // KindMACVerify, where the message ends: its left Size bytes are the MAC claimed

	MAC   [8]byte // out: KindMAC, where the message ends: its left Size bytes are the MAC
	Chain [8]byte // out: where the message goes on, the IV of the next part
}

// A Part says what a Message is of a longer one. A part that others follow is
// whole blocks, and nothing is padded.
type Part uint8

// Parts.
const (
	PartOnly Part = iota
	PartFirst
	PartMiddle
	PartLast
)

// Ends tells whether the message ends with the part, so that there is a MAC.
func (p Part) Ends() bool { return p == PartOnly || p == PartLast }

// Continues tells whether another part came before, so that there is an IV.
func (p Part) Continues() bool { return p == PartMiddle || p == PartLast }

// MaxMessage bounds the message of a generic MAC in bytes.
const MaxMessage = 1<<16 - 1

// IsGeneric tells whether the operation MACs a message of the caller's choosing,
// which Op.Generic then has.
func (k Kind) IsGeneric() bool { return k == KindMAC || k == KindMACVerify }

// Generic is what an operation of a generic MAC is about; nil in others.
func (op *Op) Generic() *Generic {
	if op.script == nil {
		return nil
	}
	return op.script.generic
}

// SetGeneric makes g what op is about.
func (op *Op) SetGeneric(g *Generic) {
	if op.script == nil {
		op.script = new(script)
	}
	op.script.generic = g
}

// withdraw takes back what an answer consists of.
func (g *Generic) withdraw() { g.MAC, g.Chain = [8]byte{}, [8]byte{} }

const desBlock = 8

// check tells what is out of range. The names are those of the vectors.
func (g *Generic) check() error {
	switch {
	case g.Algorithm != 1 && g.Algorithm != 3:
		return fmt.Errorf("%w mac-algorithm", ErrInvalid)
	case g.Padding > 2:
		return fmt.Errorf("%w padding", ErrInvalid)
	case g.Part > PartLast:
		return fmt.Errorf("%w part", ErrInvalid)
	case g.Size != 4 && g.Size != 8:
		return fmt.Errorf("%w size", ErrInvalid)
	case len(g.Message) == 0 || len(g.Message) > MaxMessage,
		len(g.Message)%desBlock != 0 && (g.Padding == 0 || !g.Part.Ends()):
		return fmt.Errorf("%w message", ErrInvalid)
	}
	return nil
}

// admit finds the key, and makes the chain that answers op.
func (g *Generic) admit(keys *keystore.Snapshot, op *Op, c *Chain) error {
	if err := g.check(); err != nil {
		return err
	}
	h, err := g.find(keys, op.Key)
	if err != nil {
		return err
	}
	k := keys.Key(h)
	if k.Usage != keystore.UsageMAC {
		return keystore.ErrUsage
	}
	if k.Cipher != keystore.Cipher3DES {
		return keystore.ErrAlgorithm
	}
	op.Key = KeyID{Set: k.Set, Version: k.Version, Algorithm: k.Algorithm}
	c.Key, c.Final, c.Mode = h, FinalCard, g.mode()
	c.Script = &Script{Data: g.padded()}
	if g.Part.Continues() {
		copy(c.Script.IV[:], g.IV[:])
	}
	return nil
}

func (g *Generic) find(keys *keystore.Snapshot, id KeyID) (keystore.Handle, error) {
	if g.ByIndex {
		return keys.At(g.Index)
	}
	return keys.Find(keystore.Ref{Set: id.Set, Usage: keystore.UsageMAC, Version: id.Version, Algorithm: id.Algorithm})
}

// mode is how the blocks are chained: algorithm 3 is single DES until the
// message ends.
func (g *Generic) mode() Mode {
	switch {
	case g.Algorithm == 1:
		return ModeTriple
	case g.Part.Ends():
		return ModeRetail
	}
	return ModeSingle
}

// padded is a copy of the message, padded where it ends. See ISO/IEC 9797-1, 6.3.
func (g *Generic) padded() []byte {
	data := append(make([]byte, 0, len(g.Message)+desBlock), g.Message...)
	switch {
	case !g.Part.Ends() || g.Padding == 0:
	case g.Padding == 2:
		return pad(data, desBlock)
	case len(data)%desBlock != 0:
		data = append(data, make([]byte, desBlock-len(data)%desBlock)...)
	}
	return data
}

// judge verifies the MAC that is claimed, or hands over what was made.
func (g *Generic) judge(c *Chain, op *Op) {
	switch {
	case !g.Part.Ends():
		g.Chain = c.MAC[0]
	case op.Kind == KindMAC:
		copy(g.MAC[:], c.MAC[0][:g.Size])
	case subtle.ConstantTimeCompare(c.MAC[0][:g.Size], g.Claim[:g.Size]) == 0:
		op.Err = ErrMAC
	}
}
