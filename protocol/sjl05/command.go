package sjl05

import (
	"encoding/binary"
	"fmt"
	"slices"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// class is the first byte of every command.
const class = 0xB0

// A command is one line of the command table.
type command struct {
	code   byte
	kind   mac.Kind
	fields []field
}

var commands = [...]command{
	{0x61, mac.KindRawDerive, []field{key, factors}},
	{0x80, mac.KindRawMAC, []field{label, key, factors, session, iv, message}},
	{0x81, mac.KindRawMACVerify, []field{label, key, factors, session, iv, claim, message}},
	{0x83, mac.KindRawTAC, []field{label, key, factors, iv, message}},
	{0x84, mac.KindRawTACVerify, []field{label, key, factors, iv, claim, message}},
	{0x91, mac.KindRawEncipher, []field{key, factors, blocks}},
	{0x92, mac.KindRawDecipher, []field{key, factors, blocks}},
}

// lookup gives the place of the command that b begins with.
func lookup(b []byte) (at int, ok bool) {
	for i := range commands {
		if b[0] == class && b[1] == commands[i].code {
			return i, true
		}
	}
	return 0, false
}

// A field is one of those that commands consist of.
type field uint8

// Fields. Integers are binary and big-endian.
const (
	label   field = iota // of the MAC or TAC, 1 byte: read and left, see [SJL05]
	key                  // key index, 2 bytes
	factors              // their number, 1 byte, and 8 bytes each
	session              // how the session key is made, 1 byte, and its 8 bytes of data
	iv                   // 8 bytes
	claim                // the MAC or TAC to be verified
	message              // its length, 2 bytes, and what is MACed
	blocks               // its length, 2 bytes, and what is enciphered or deciphered
)

// How a session key is made.
const (
	sessionOf3DES = 0x00 // E3(card key, data), 8 bytes
	noSession     = 0x03 // the card's key itself MACs
)

// width is how many bytes a field takes, and whether rest, which begins with it,
// tells; if not, it is how many would.
func (d *Dialect) width(f field, rest []byte) (n int, known bool) {
	switch f {
	case label:
		return 1, true
	case key:
		return 2, true
	case factors:
		if len(rest) < 1 {
			return 1, false
		}
		return 1 + 8*int(rest[0]), true
	case session:
		return 1 + 8, true
	case iv:
		return 8, true
	case claim:
		return d.settings.MACSize, true
	}
	if len(rest) < 2 {
		return 2, false
	}
	return 2 + int(binary.BigEndian.Uint16(rest)), true
}

// invalid names the field that is out of range.
func invalid(field string) error { return fmt.Errorf("sjl05: %s: %w", field, mac.ErrInvalid) }

// read puts a field, which is complete, into the operation.
func (d *Dialect) read(f field, b []byte, op *mac.Op, r *mac.Raw) error {
	switch f {
	case label:
	case key:
		return d.setKey(binary.BigEndian.Uint16(b), op, r)
	case factors:
		return setFactors(b, op, d.settings.CardFirst)
	case session:
		return setSession(b, r)
	case iv:
		r.IV = [8]byte(b)
	case claim:
		copy(r.Claim[:], b)
	case message:
		r.Text = d.settings.Padding.pad(b[2:])
	case blocks:
		r.Text = b[2:]
	}
	return nil
}

func (d *Dialect) setKey(index uint16, op *mac.Op, r *mac.Raw) error {
	if d.settings.Keys == nil {
		r.ByIndex, r.Index = true, index
		return nil
	}
	ref, ok := d.settings.Keys[index]
	if !ok {
		return fmt.Errorf("sjl05: no key has this index: %w", keystore.ErrNotFound)
	}
	op.Key, r.Usage = mac.KeyID{Set: ref.Set, Version: ref.Version, Algorithm: ref.Algorithm}, ref.Usage
	return nil
}

func setFactors(b []byte, op *mac.Op, cardFirst bool) error {
	if int(b[0]) > len(op.Factors) {
		return invalid("factors")
	}
	op.Levels = b[0]
	for i := range op.Levels {
		op.Factors[i] = mac.Factor(b[1+8*int(i):])
	}
	if cardFirst {
		slices.Reverse(op.Factors[:op.Levels])
	}
	return nil
}

func setSession(b []byte, r *mac.Raw) error {
	switch b[0] {
	case sessionOf3DES:
		r.Session, r.Data = true, [8]byte(b[1:])
	case noSession:
	default:
		return invalid("session algorithm")
	}
	return nil
}
