package protocol

// nibble is the value of a hexadecimal digit plus 0x10, or 0 if it is none.
var nibble = [256]byte{
	'0': 0x10, '1': 0x11, '2': 0x12, '3': 0x13, '4': 0x14, '5': 0x15, '6': 0x16, '7': 0x17, '8': 0x18, '9': 0x19,
	'A': 0x1A, 'B': 0x1B, 'C': 0x1C, 'D': 0x1D, 'E': 0x1E, 'F': 0x1F,
	'a': 0x1A, 'b': 0x1B, 'c': 0x1C, 'd': 0x1D, 'e': 0x1E, 'f': 0x1F,
}

const upper = "0123456789ABCDEF"

// appendNumber appends v in n digits of the base 10 or 16.
func appendNumber(out []byte, v, base, n int) []byte {
	at := len(out)
	for range n {
		out = append(out, '0')
	}
	for i := at + n - 1; i >= at; i-- {
		out[i] = upper[v%base]
		v /= base
	}
	return out
}
