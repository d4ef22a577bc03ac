package explain

import (
	"encoding/binary"
	"fmt"

	"pbochsm/mac"
)

// money are the fields that hold an amount, with what it is called.
var money = []mac.Field{mac.OldBalance, mac.NewBalance, mac.Amount, mac.OldLimit, mac.NewLimit}

// moneyInBCD takes amounts for digits: fen written as a decimal number, or a
// decimal number that was meant to be fen. See [PBOC] 1.
func moneyInBCD(_ *work, r reading) (all []candidate) {
	var covered []mac.Field
	for _, f := range money {
		if r.covers(f) {
			covered = append(covered, f)
		}
	}
	for _, turn := range []struct {
		convert    func([]byte) bool
		text, mend string
	}{
		{toBCD, "%s as a decimal number (BCD)", "money is binary, in fen: 00001000 is 4096 fen, on every side"},
		{fromBCD, "%s in binary, of which what was said is the decimal number (BCD)", "money is binary, in fen: give it as the card has it, or with its unit, as in 4096fen"},
	} {
		for chosen := 1; chosen < 1<<len(covered); chosen++ {
			other, names := r, ""
			changed := true
			for i, f := range covered {
				if chosen&(1<<i) == 0 {
					continue
				}
				changed = changed && turn.convert(f.Bytes(&other.op))
				if names != "" {
					names += " and "
				}
				names += f.String()
			}
			if changed {
				c := say(other, fmt.Sprintf(turn.text, names), turn.mend)
				c.byFlags = true
				all = append(all, c)
			}
		}
	}
	return all
}

// toBCD writes the number in b as decimal digits, and tells whether it has room
// for them and they differ.
func toBCD(b []byte) bool {
	v := number(b)
	digits := fmt.Sprintf("%0*d", 2*len(b), v)
	if len(digits) > 2*len(b) || v < 10 {
		return false
	}
	for i := range b {
		b[i] = (digits[2*i]-'0')<<4 | (digits[2*i+1] - '0')
	}
	return true
}

// fromBCD reads b as decimal digits, and tells whether it is some and the number
// differs.
func fromBCD(b []byte) bool {
	if !isDecimal(b) {
		return false
	}
	v := uint32(0)
	for _, c := range b {
		v = v*100 + uint32(c>>4)*10 + uint32(c&0x0F)
	}
	if v < 10 {
		return false
	}
	var wide [4]byte
	binary.BigEndian.PutUint32(wide[:], v)
	copy(b, wide[4-len(b):])
	return true
}

// isDecimal tells whether b is decimal digits, two in a byte.
func isDecimal(b []byte) bool {
	for _, c := range b {
		if c>>4 > 9 || c&0x0F > 9 {
			return false
		}
	}
	return true
}

func number(b []byte) uint32 {
	v := uint32(0)
	for _, c := range b {
		v = v<<8 | uint32(c)
	}
	return v
}

// counterOff takes a counter that is one more or one less. See [PBOC] 9.
func counterOff(_ *work, r reading) (all []candidate) {
	for _, f := range []mac.Field{mac.OnlineCounter, mac.OfflineCounter} {
		if !r.covers(f) {
			continue
		}
		now := binary.BigEndian.Uint16(f.Bytes(&r.op))
		for _, turn := range []struct {
			by         uint16
			text, mend string
		}{
			{1, "%s %04X, after its increment, where %04X was said", "every MAC takes the counter of the answer to INITIALIZE, before its increment"},
			{0xFFFF, "%s %04X, before its increment, where %04X was said", "every MAC takes the counter of the answer to INITIALIZE; a log record has the one after it"},
		} {
			other := r
			binary.BigEndian.PutUint16(f.Bytes(&other.op), now+turn.by)
			c := say(other, fmt.Sprintf(turn.text, f, now+turn.by, now), turn.mend)
			c.byFlags = true
			all = append(all, c)
		}
	}
	return all
}
