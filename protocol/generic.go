package protocol

import (
	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/digits"
)

// M6 and M8 make and verify MACs of messages, byte-compatible with payShield, by
// keys of the usage for generic MACs alone. A message may come in parts; the
// answer to one that others follow is the IV of the next.

// The digits of M6 and M8.
const (
	textBinary = 0 // and 2, text: as it is
	textHex    = 1 // two digits a byte; the length counts the digits
	textPlain  = 2

	identityMark = 'I' // before set, version and algorithm, where payShield has none
)

// keyTypes are those that MACs are made with: TAK, ZAK, and "see the key".
var keyTypes = map[string]bool{"003": true, "008": true, "FFF": true}

// decodeGeneric reads the fields of M6 or M8 into op.
func decodeGeneric(op *mac.Op, k mac.Kind, fields []byte) error {
	s := scanner(fields)
	op.Kind = k
	g := new(mac.Generic)
	op.SetGeneric(g)
	hex, err := s.genericHead(op, g)
	if err != nil {
		return err
	}
	if g.Part.Continues() && !s.hex(g.IV[:]) {
		return malformed("IV")
	}
	if !s.text(g, hex) {
		return malformed("message")
	}
	if k == mac.KindMACVerify && g.Part.Ends() && !s.hex(g.Claim[:g.Size]) {
		return malformed("MAC")
	}
	return s.end()
}

// genericHead reads what stands before the IV, and tells whether the message is
// in hexadecimal.
func (s *scanner) genericHead(op *mac.Op, g *mac.Generic) (hex bool, err error) {
	var digits [5]int // mode, input format, size of the MAC, algorithm, padding
	for i, most := range [...]int{3, textPlain, 1, 9, 9} {
		n, ok := s.number(10, 1)
		if !ok || n > most {
			return false, malformed("mode, format, size, algorithm or padding")
		}
		digits[i] = n
	}
	g.Part, g.Size = mac.Part(digits[0]), 4+4*digits[2]
	g.Algorithm, g.Padding = uint8(digits[3]), uint8(digits[4])
	if len(*s) < 3 || !keyTypes[string((*s)[:3])] {
		return false, malformed("key type")
	}
	*s = (*s)[3:]
	return digits[1] == textHex, s.genericKey(op, g)
}

// genericKey reads the key: its place in the key table, or its identity.
func (s *scanner) genericKey(op *mac.Op, g *mac.Generic) (err error) {
	if s.char(identityMark) {
		op.Key, err = s.identity()
		return err
	}
	var ok bool
	if g.Index, ok = s.tableKey(); !ok {
		return malformed("key")
	}
	g.ByIndex = true
	return nil
}

// text reads the length of the message and the message.
func (s *scanner) text(g *mac.Generic, hex bool) bool {
	n, ok := s.number(16, 4)
	if !ok || n > len(*s) {
		return false
	}
	if !hex {
		g.Message = append([]byte(nil), (*s)[:n]...)
		*s = (*s)[n:]
		return true
	}
	g.Message = make([]byte, n/2)
	return n%2 == 0 && s.hex(g.Message)
}

// genericTrailer finds the trailer of M6 or M8: the message before it may hold
// any byte. Where the fields cannot be read there is none.
func genericTrailer(k mac.Kind) func(fields []byte) int {
	return func(fields []byte) int {
		s, op, g := scanner(fields), new(mac.Op), new(mac.Generic)
		_, err := s.genericHead(op, g)
		if g.Part.Continues() && len(s) >= 16 {
			s = s[16:]
		}
		n, ok := s.number(16, 4)
		if k == mac.KindMACVerify && g.Part.Ends() {
			n += 2 * g.Size
		}
		if err != nil || !ok || n > len(s) {
			return len(fields)
		}
		rest := s[n:]
		return len(fields) - len(rest) + trailerOf(rest)
	}
}

// appendGeneric appends the fields of M6 or M8, the inverse of decodeGeneric.
func appendGeneric(out []byte, op *mac.Op) []byte {
	g := op.Generic()
	out = append(out, '0'+byte(g.Part), '0'+textBinary, '0'+byte(g.Size/8), '0'+g.Algorithm, '0'+g.Padding)
	out = append(out, "FFF"...)
	if g.ByIndex {
		out = appendNumber(append(out, 'K'), int(g.Index), 16, 3)
	} else {
		out = digits.Append(append(out, identityMark), []byte{op.Key.Set, op.Key.Version, op.Key.Algorithm})
	}
	if g.Part.Continues() {
		out = digits.Append(out, g.IV[:])
	}
	out = append(appendNumber(out, len(g.Message), 16, 4), g.Message...)
	if op.Kind == mac.KindMACVerify && g.Part.Ends() {
		out = digits.Append(out, g.Claim[:g.Size])
	}
	return out
}

// answerOf is where the answer of a generic MAC is kept, nil if there is none.
func answerOf(op *mac.Op) []byte {
	g := op.Generic()
	switch {
	case !g.Part.Ends():
		return g.Chain[:]
	case op.Kind == mac.KindMAC:
		return g.MAC[:g.Size]
	}
	return nil
}

// speakable tells whether a generic MAC can be written as a command at all.
func speakable(op *mac.Op) error {
	g := op.Generic()
	switch {
	case !op.Kind.IsGeneric():
		return nil
	case g == nil, g.Size != 4 && g.Size != 8, g.Part > mac.PartLast, g.Algorithm > 9, g.Padding > 9, len(g.Message) > mac.MaxMessage:
		return malformed("generic MAC")
	case g.ByIndex && g.Index > 0xFFF:
		return keystore.ErrIndex
	}
	return nil
}
