package lanes

// Masks of the halves that the steps of a transposition exchange.
const (
	low32 = 0x00000000FFFFFFFF
	low16 = 0x0000FFFF0000FFFF
	low8  = 0x00FF00FF00FF00FF
	low4  = 0x0F0F0F0F0F0F0F0F
	low2  = 0x3333333333333333
	low1  = 0x5555555555555555
)

// load64 transposes a square of 64 by 64 bits: what was bit b of row i becomes
// bit i of a wire. Within bytes first, then bytes against each other. The
// second step finds the eight bits that share a place in their bytes together,
// and IP wants just these on neighbouring wires.
// The rows are used up.
func load64(to *block[uint64], rows []uint64) {
	w := (*[64]uint64)(rows)
	within(w)
	for k, row := range ipRows {
		h := to.l
		if row >= 4 {
			h = to.r
		}
		o := (*[8]uint64)(h[row%4*8:])
		o[0], o[1], o[2], o[3], o[4], o[5], o[6], o[7] = across(
			w[k], w[k+8], w[k+16], w[k+24], w[k+32], w[k+40], w[k+48], w[k+56])
	}
}

// store64 takes the steps of load64 back.
func store64(rows []uint64, from *block[uint64]) {
	w := (*[64]uint64)(rows)
	for k, row := range ipRows {
		h := from.l
		if row >= 4 {
			h = from.r
		}
		o := (*[8]uint64)(h[row%4*8:])
		w[k], w[k+8], w[k+16], w[k+24], w[k+32], w[k+40], w[k+48], w[k+56] = across(
			o[0], o[1], o[2], o[3], o[4], o[5], o[6], o[7])
	}
	within(w)
}

// fill64 is load64 for rows that are all the same.
func fill64(to *block[uint64], row uint64) {
	for k, r := range ipRows {
		h := to.l
		if r >= 4 {
			h = to.r
		}
		o := (*[8]uint64)(h[r%4*8:])
		for i := range o {
			o[i] = -(row >> (8*i + k) & 1)
		}
	}
}

// transpose64 is load64 with the wires in the order of the bits, and its own
// reverse.
func transpose64(w *[64]uint64) {
	within(w)
	for k := range 8 {
		w[k], w[k+8], w[k+16], w[k+24], w[k+32], w[k+40], w[k+48], w[k+56] = across(
			w[k], w[k+8], w[k+16], w[k+24], w[k+32], w[k+40], w[k+48], w[k+56])
	}
}

// within transposes, in each column of bytes, the eight bytes of eight rows.
func within(w *[64]uint64) {
	for i := 0; i < len(w); i += 8 {
		o := (*[8]uint64)(w[i:])
		a0, a4 := exchange(o[0], o[4], 4, low4)
		a1, a5 := exchange(o[1], o[5], 4, low4)
		a2, a6 := exchange(o[2], o[6], 4, low4)
		a3, a7 := exchange(o[3], o[7], 4, low4)
		a0, a2 = exchange(a0, a2, 2, low2)
		a1, a3 = exchange(a1, a3, 2, low2)
		a4, a6 = exchange(a4, a6, 2, low2)
		a5, a7 = exchange(a5, a7, 2, low2)
		o[0], o[1] = exchange(a0, a1, 1, low1)
		o[2], o[3] = exchange(a2, a3, 1, low1)
		o[4], o[5] = exchange(a4, a5, 1, low1)
		o[6], o[7] = exchange(a6, a7, 1, low1)
	}
}

// across transposes eight rows of eight bytes.
func across(a0, a1, a2, a3, a4, a5, a6, a7 uint64) (b0, b1, b2, b3, b4, b5, b6, b7 uint64) {
	a0, a4 = exchange(a0, a4, 32, low32)
	a1, a5 = exchange(a1, a5, 32, low32)
	a2, a6 = exchange(a2, a6, 32, low32)
	a3, a7 = exchange(a3, a7, 32, low32)
	a0, a2 = exchange(a0, a2, 16, low16)
	a1, a3 = exchange(a1, a3, 16, low16)
	a4, a6 = exchange(a4, a6, 16, low16)
	a5, a7 = exchange(a5, a7, 16, low16)
	a0, a1 = exchange(a0, a1, 8, low8)
	a2, a3 = exchange(a2, a3, 8, low8)
	a4, a5 = exchange(a4, a5, 8, low8)
	a6, a7 = exchange(a6, a7, 8, low8)
	return a0, a1, a2, a3, a4, a5, a6, a7
}

// exchange swaps the upper halves of the fields of a with the lower halves of
// those of b; n is the size of a half and low its mask.
func exchange(a, b uint64, n uint, low uint64) (uint64, uint64) {
	t := (a>>n ^ b) & low
	return a ^ t<<n, b ^ t
}
