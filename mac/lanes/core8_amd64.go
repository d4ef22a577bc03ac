package lanes

// The kernels of 8 lanes are in core8_amd64.s, which gen writes. They are for
// processors with AVX-512 and its byte permutations (VBMI).

//go:noescape
func schedule8(to *schedule, key *lanes8)

//go:noescape
func crypt8(block, key *lanes8, step int)
