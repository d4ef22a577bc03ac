package vectors

import (
	"fmt"
	"strconv"

	"pbochsm/mac"
)

// The fields of a generic MAC, which are not in the dictionary of package mac.
// All but IV and MAC are obligatory.
const (
	fieldAlgorithm = "mac-algorithm" // 01 or 03
	fieldPadding   = "padding"       // 00, 01 or 02
	fieldPart      = "part"          // 00 the whole message, 01 its first part, 02 a middle part, 03 its last
	fieldIV        = "iv"            // 8 bytes, of a middle or last part
	fieldSize      = "size"          // bytes of the MAC, 04 or 08
	fieldMessage   = "message"
	fieldMAC       = "mac" // what is claimed
)

// fillGeneric makes op the generic MAC that the fields say.
func (v *Vector) fillGeneric(op *mac.Op) error {
	g := new(mac.Generic)
	op.SetGeneric(g)
	fixed := []struct {
		name string
		to   func(byte)
	}{
		{fieldAlgorithm, func(b byte) { g.Algorithm = b }},
		{fieldPadding, func(b byte) { g.Padding = b }},
		{fieldPart, func(b byte) { g.Part = mac.Part(b) }},
		{fieldSize, func(b byte) { g.Size = int(b) }},
	}
	used := len(fixed) + 1
	for _, f := range fixed {
		n, err := strconv.ParseUint(v.Fields[f.name], 16, 8)
		if err != nil {
			return v.wrap(fmt.Errorf("%s: %w", f.name, err))
		}
		f.to(byte(n))
	}
	message, err := unhex(v.Fields[fieldMessage], len(v.Fields[fieldMessage])/2)
	if err != nil {
		return v.wrap(fmt.Errorf("%s: %w", fieldMessage, err))
	}
	g.Message = message
	for name, to := range map[string][]byte{fieldIV: g.IV[:], fieldMAC: g.Claim[:]} {
		text, ok := v.Fields[name]
		if !ok {
			continue
		}
		used++
		value, err := unhex(text, len(text)/2)
		if err != nil || len(value) > len(to) {
			return v.wrap(fmt.Errorf("%s: %d digits, %w", name, len(text), err))
		}
		copy(to, value)
	}
	if used != len(v.Fields) {
		return v.wrap(fmt.Errorf("a field that is no input of %s", op.Kind))
	}
	return nil
}

// genericAnswer is what a module answered to a generic MAC, in digits: a MAC, or
// the IV of the next part.
func genericAnswer(op *mac.Op) string {
	g := op.Generic()
	switch {
	case !g.Part.Ends():
		return fmt.Sprintf("%X", g.Chain)
	case op.Kind == mac.KindMAC:
		return fmt.Sprintf("%X", g.MAC[:g.Size])
	}
	return ""
}

// spoil fills every place of an answer with bytes that a refusal must clear.
func spoil(op *mac.Op) {
	op.Answer, op.Err = [4]byte{1}, errUnanswered
	if op.Kind.Commands() {
		op.SetCommand([]byte{1})
	}
	if g := op.Generic(); g != nil {
		g.MAC, g.Chain = [8]byte{1}, [8]byte{1}
	}
}
