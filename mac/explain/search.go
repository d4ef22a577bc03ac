package explain

import (
	"context"
	"errors"
	"fmt"

	"pbochsm/mac"
)

// searchASN looks for a card's factor that was cut out of a longer serial number
// at the wrong end: file 0015 has 10 bytes, of which one side took the left 8
// and the other the right 8. The two bytes that only one side has are tried in
// all their values, which are digits if those that are known are. See [PBOC] 1.
func (w *work) searchASN(ctx context.Context) error {
	if w.op.Levels == 0 || w.refuse != nil && !errors.Is(w.refuse, mac.ErrVerify) {
		return nil
	}
	last := w.op.Levels - 1
	given := w.op.Factors[last]
	for _, side := range []struct {
		text, mend string
		make       func(missing uint16) mac.Factor
	}{
		{
			"the left 16 of the 20 digits of the ASN, %X, where the right 16 were given", "the card's factor is the rightmost 16 digits of its ASN",
			func(m uint16) (f mac.Factor) {
				f[0], f[1] = byte(m>>8), byte(m)
				copy(f[2:], given[:6])
				return f
			},
		},
		{
			"the right 16 of the 20 digits of the ASN, %X, where the left 16 were given", "the card's factor is the rightmost 16 digits of its ASN",
			func(m uint16) (f mac.Factor) {
				copy(f[:], given[2:])
				f[6], f[7] = byte(m>>8), byte(m)
				return f
			},
		},
	} {
		f, found, err := w.searchFactor(ctx, last, side.make)
		if err != nil {
			return err
		}
		if found {
			w.x.Mistakes = append(w.x.Mistakes, Finding{
				Mistake: "asn", Text: fmt.Sprintf(side.text, f), Mend: side.mend, Flags: w.flagsOfFactor(last, f),
			})
		}
	}
	return nil
}

func (w *work) flagsOfFactor(last uint8, f mac.Factor) string {
	other := w.op
	other.Factors[last] = f
	return w.flags(&other)
}

// searchChunk is how many operations the module is asked at once.
const searchChunk = 1 << 12

// searchFactor asks the module with every value of two bytes.
func (w *work) searchFactor(ctx context.Context, level uint8, makeFactor func(uint16) mac.Factor) (mac.Factor, bool, error) {
	_, claims := w.op.Kind.Claims()
	checking := claims && w.refuse != nil
	missing := missingBytes(w.base.op.Factors[level])
	ops := make([]mac.Op, min(searchChunk, len(missing)))
	for ; len(missing) > 0; missing = missing[len(ops):] {
		ops = ops[:min(len(ops), len(missing))]
		for i := range ops {
			ops[i] = w.base.op.Clone()
			ops[i].Factors[level] = makeFactor(missing[i])
		}
		if err := w.hsm.Do(ctx, ops); err != nil {
			return mac.Factor{}, false, err
		}
		for i := range ops {
			right := ops[i].Err == nil
			if !checking && right {
				right = same(w.expect, answerOf(&ops[i]))
			}
			if right {
				return ops[i].Factors[level], true, nil
			}
		}
	}
	return mac.Factor{}, false, nil
}

// missingBytes are the values that two bytes of an ASN may have: four digits, if
// the rest of it is digits.
func missingBytes(rest mac.Factor) []uint16 {
	var all []uint16
	inDigits := isDecimal(rest[:])
	for v := range 1 << 16 {
		if b := []byte{byte(v >> 8), byte(v)}; !inDigits || isDecimal(b) {
			all = append(all, uint16(v))
		}
	}
	return all
}

func answerOf(op *mac.Op) []byte {
	if op.Kind.Commands() {
		return op.Command()
	}
	return op.Answer[:]
}
