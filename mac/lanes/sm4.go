package lanes

// sm4Lanes is how many chains an SM4 group runs at most. Where they are few, a
// core may leave out whole parts.
const (
	sm4Lanes = 96
	sm4Part  = 16
)

// sm4Parts is how many parts n lanes are.
func sm4Parts(n int) int { return (n + sm4Part - 1) / sm4Part }

// An sm4Rows is a block in every lane, its bytes first to last.
type sm4Rows [sm4Lanes][16]byte

// sm4Nothing is what is added where nothing is.
var sm4Nothing sm4Rows

// An sm4Key is the round keys of every lane, 32 bits a lane. Each core has an
// order of its own for what is in a round.
type sm4Key [32][sm4Lanes / 2]uint64

// An sm4Core is SM4, as GB/T 32907 has it, in every lane, each with its own key.
type sm4Core struct {
	name  string
	lanes int
	// expand makes the round keys of the first n lanes.
	expand func(rk *sm4Key, keys *sm4Rows, n int)
	// encrypt adds more to the first n blocks and enciphers them in their place.
	encrypt func(rk *sm4Key, blocks, more *sm4Rows, n int)
}

// FK and CK of GB/T 32907, section 7.3.
var sm4FK = [4]uint32{0xA3B1BAC6, 0x56AA3350, 0x677D9197, 0xB27022DC}

func sm4CK(round int) (ck uint32) {
	for j := range 4 {
		ck = ck<<8 | uint32(byte((4*round+j)*7))
	}
	return ck
}
