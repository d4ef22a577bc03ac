package lanes

// maxLanes bounds the lanes of a core.
const maxLanes = 512

// A word is one wire in every lane: 64, 256 or 512 bits side by side.
type word interface {
	uint64 | [4]uint64 | [8]uint64
}

// A half is the left or the right half of a block, a wire a word, in the order
// that the initial permutation makes.
type half[W word] [32]W

// A block is 64 bits in every lane. Its halves are pointers, so that the swap
// after the last round of DES costs nothing.
type block[W word] struct{ l, r *half[W] }

func (b *block[W]) swap() { b.l, b.r = b.r, b.l }

// A key is the 28 wires of C, again those of C, those of D, again those of D.
// The key schedule turns C and D left. With two copies in a row, a turn by n
// is the key from wire n on: no work.
type key[W word] [4 * 28]W

// A run is n wires of a block that lie side by side in a key too.
type run struct{ from, to, n uint8 }

// A laneSet says in which lanes something is to happen. Membership follows
// from the shape of a chain, never from its data.
type laneSet [maxLanes / 64]uint64

// add adds the lanes from first up to, not including, end.
func (s *laneSet) add(first, end int) {
	for i := first / 64; i*64 < end; i++ {
		s[i] |= lowest(end-64*i) &^ lowest(first-64*i)
	}
}

// mask is all ones if a lane of the first 64 is in s, and 0 if not.
func (s *laneSet) mask(lane int) uint64 { return -(s[0] >> lane & 1) }

// lowest is a word with the lowest n bits set.
func lowest(n int) uint64 {
	switch {
	case n <= 0:
		return 0
	case n >= 64:
		return ^uint64(0)
	}
	return 1<<n - 1
}

// Kernels are what a core can do. All that depends on its width is here; the
// arithmetic of a chain (group.go) is made of nothing else. A kernel takes the
// same steps whatever the bits are.
type kernels[W word] struct {
	lanes int

	// load transposes rows, one 8-byte block a lane, into to, and store does
	// the reverse; the initial permutation and its inverse are part of it. Each
	// word takes 64 lanes: rows has the first lane of each word, then the second
	// of each, and so on. Load may use the rows up.
	load  func(to *block[W], rows []uint64)
	store func(rows []uint64, from *block[W])

	// fill gives every lane the same block.
	fill func(to *block[W], row uint64)

	// rounds runs the 16 rounds of DES; the halves are not swapped at the end.
	rounds func(l, r *half[W], k *key[W], turns *[16]uint8)

	// wire makes from the key of the lanes in s. fold makes left xor right the
	// key of the lanes in s.
	wire func(k *key[W], from *block[W], s *laneSet)
	fold func(k, left, right *key[W], s *laneSet)

	// add adds from to to, bit by bit. invert copies, and flips the bits of the
	// lanes in s. choose copies the lanes in s.
	add    func(to, from *block[W])
	invert func(to, from *block[W], s *laneSet)
	choose func(to, from *block[W], s *laneSet)

	// part separates the lower half of the lanes from the upper, and gives
	// each to all lanes. From may be lower or upper too.
	part func(lower, upper, from *block[W])
}
