// Package digits reads and writes hexadecimal digits, eight at a time, or as many as 64
// where the processor can: on the wire and in settlement files this is much of
// the work besides the arithmetic.
package digits

//go:generate go run ./gen

import "encoding/binary"

// Decode decodes hexadecimal digits of either case into dst, and tells whether
// text is exactly as many of them as dst has room for. If not, dst stays as it
// was.
func Decode(dst, text []byte) bool {
	if len(text) != 2*len(dst) {
		return false
	}
	if wide && len(dst) >= 8 && len(dst) <= 32 {
		if len(dst) < 16 {
			return decode8to16(&dst[0], &text[0], len(dst))
		}
		return decode16to32(&dst[0], &text[0], len(dst))
	}
	return decode(dst, text)
}

// Are tells whether all of text are digits.
func Are(text []byte) bool {
	for _, b := range text {
		if noDigits(zeros&^0xFF|uint64(b)) != 0 {
			return false
		}
	}
	return true
}

// decode is Decode without the help of a processor.
func decode(dst, text []byte) bool {
	switch len(dst) {
	case 4:
		v, ok := unhex8(binary.LittleEndian.Uint64(text))
		if ok {
			binary.LittleEndian.PutUint32(dst, v)
		}
		return ok
	case 1, 2, 3:
		v, ok := unhex8(few(text))
		for i := 0; ok && i < len(dst); i++ {
			dst[i] = byte(v >> (8 * i))
		}
		return ok
	case 6:
		v, ok := unhex8(binary.LittleEndian.Uint64(text))
		w, alsoOK := unhex8(few(text[8:]))
		if ok = ok && alsoOK; ok {
			binary.LittleEndian.PutUint32(dst, v)
			binary.LittleEndian.PutUint16(dst[4:], uint16(w))
		}
		return ok
	case 8:
		v, ok := unhex8(binary.LittleEndian.Uint64(text))
		w, alsoOK := unhex8(binary.LittleEndian.Uint64(text[8:]))
		if ok = ok && alsoOK; ok {
			binary.LittleEndian.PutUint64(dst, uint64(w)<<32|uint64(v))
		}
		return ok
	}
	return decodeAny(dst, text)
}

// decodeAny is Decode for widths that are rare: once to see whether all are
// digits, once to decode them.
func decodeAny(dst, text []byte) bool {
	for _, write := range []bool{false, true} {
		for i := 0; i < len(dst); i += 4 {
			n := min(4, len(dst)-i)
			x := uint64(0)
			if n == 4 {
				x = binary.LittleEndian.Uint64(text[2*i:])
			} else {
				x = few(text[2*i:])
			}
			v, ok := unhex8(x)
			if !ok {
				return false
			}
			for j := 0; write && j < n; j++ {
				dst[i+j] = byte(v >> (8 * j))
			}
		}
	}
	return true
}

// few loads two, four or six digits as the first of eight, the rest zeros.
func few(text []byte) uint64 {
	switch len(text) {
	case 2:
		return zeros&^0xFFFF | uint64(binary.LittleEndian.Uint16(text))
	case 4:
		return zeros&^0xFFFF_FFFF | uint64(binary.LittleEndian.Uint32(text))
	default:
		return zeros&^0xFFFF_FFFF_FFFF | uint64(binary.LittleEndian.Uint16(text[4:]))<<32 | uint64(binary.LittleEndian.Uint32(text))
	}
}

const (
	ones  = 0x0101010101010101
	tops  = 0x80 * ones
	zeros = '0' * ones
)

// unhex8 decodes eight digits, the first one in the lowest byte of x, into
// four bytes, again the first one lowest.
func unhex8(x uint64) (uint32, bool) {
	n := x&(0x0F*ones) + 9*(x>>6&ones) // the low bits of 'a' are 1, and letters have bit 6
	n = (n<<4 | n>>8) & 0x00FF00FF00FF00FF
	n = (n | n>>8) & 0x0000FFFF0000FFFF
	return uint32(n | n>>16), noDigits(x) == 0
}

// noDigits is zero if all eight bytes are digits. It computes on all at once:
// the sum of a byte and 0x80 - n has its top bit set if the byte is at least
// n, and no sum carries into the next byte where all are ASCII.
func noDigits(x uint64) uint64 {
	lower := x | 0x20*ones
	digit := (x + (0x80-'0')*ones) &^ (x + (0x80-'9'-1)*ones)
	letter := (lower + (0x80-'a')*ones) &^ (lower + (0x80-'f'-1)*ones)
	return (^(digit | letter) | x) & tops
}

// Append appends b in upper-case hexadecimal digits.
func Append(out, b []byte) []byte {
	for ; len(b) >= 4; b = b[4:] {
		out = binary.LittleEndian.AppendUint64(out, hex8(binary.LittleEndian.Uint32(b)))
	}
	for _, c := range b {
		out = binary.LittleEndian.AppendUint16(out, uint16(hex8(uint32(c))))
	}
	return out
}

// hex8 is the reverse of unhex8: four bytes, the first one lowest, in eight
// digits. A half byte of 10 or more carries into the fourth bit once 6 is added,
// and each such bit adds what lies between '9' and 'A'.
func hex8(v uint32) uint64 {
	n := uint64(v)
	n = (n | n<<16) & 0x0000FFFF0000FFFF
	n = (n | n<<8) & 0x00FF00FF00FF00FF
	n = (n>>4 | n<<8) & (0x0F * ones)
	letter := (n + 6*ones) >> 4 & ones
	return n + zeros + letter*('A'-'9'-1)
}
