package settlement

import "encoding/binary"

// unhex decodes hexadecimal digits of either case into dst, and tells whether
// text is exactly as many of them as dst has room for.
func unhex(dst, text []byte) bool {
	if len(text) != 2*len(dst) {
		return false
	}
	for len(dst) >= 4 {
		v, ok := unhex8(binary.LittleEndian.Uint64(text))
		if !ok {
			return false
		}
		binary.LittleEndian.PutUint32(dst, v)
		dst, text = dst[4:], text[8:]
	}
	bad := byte(0)
	for i := range dst {
		hi, lo := nibble[text[2*i]], nibble[text[2*i+1]]
		bad |= hi | lo
		dst[i] = hi<<4 | lo
	}
	return bad <= 0x0F
}

const (
	ones = 0x0101010101010101
	tops = 0x80 * ones
)

// unhex8 decodes eight digits, the first one in the lowest byte of x, into
// four bytes, again the first one lowest. It computes on all eight at once:
// the sum of a byte and 0x80 - n has its top bit set if the byte is at least
// n, and no sum carries into the next byte where all are ASCII.
func unhex8(x uint64) (uint32, bool) {
	lower := x | 0x20*ones
	digit := (x + (0x80-'0')*ones) &^ (x + (0x80-'9'-1)*ones)
	letter := (lower + (0x80-'a')*ones) &^ (lower + (0x80-'f'-1)*ones) & tops
	ok := (digit|letter)&tops == tops && x&tops == 0
	n := x&(0x0F*ones) + 9*(letter>>7) // the low bits of 'a' are 1
	n = (n<<4 | n>>8) & 0x00FF00FF00FF00FF
	n = (n | n>>8) & 0x0000FFFF0000FFFF
	return uint32(n | n>>16), ok
}

// nibble gives the value of a digit; that of any other byte has high bits.
var nibble = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xF0
	}
	for i := range byte(10) {
		t['0'+i] = i
	}
	for i := range byte(6) {
		t['A'+i], t['a'+i] = 10+i, 10+i
	}
	return t
}()
