// Package lanes computes many chains at once, in constant time, with DES, and
// SM4 where there is nothing better, in bitsliced form.
//
// # Lanes
//
// A processor word is 64 bits that AND, OR and XOR treat alike and apart. So
// let bit i of every word belong to chain i: one word holds the first bit of
// 64 blocks, the next word their second bits, and 64 words hold 64 blocks. A
// block in this form is 64 wires, and an instruction is a gate that works in
// 64 circuits, the lanes, side by side. Each lane has its own key, its own
// data and its own number of diversification levels. Wider registers make more
// lanes and change nothing else: AVX2 makes 256, AVX-512 makes 512.
//
// # Wiring
//
// On wires, whatever DES permutes costs nothing: E, P, PC1, PC2 and the
// rotations of the key schedule only say which word an instruction reads. Even
// a new key for every card, which is what makes table-driven DES slow here (a
// schedule costs as much as encrypting a few blocks), is free: a derived key
// is a block whose wires are used as a key. What remains of DES is its
// S-boxes, as circuits of some 50 gates each, or of 26 where the processor has
// gates of three inputs (AVX-512: VPTERNLOGQ, a truth table in an instruction).
// A program searched for them (gen/search); gen/netlist keeps the circuits and
// proves them against the standard; gen turns them into Go, and gen/vector into
// assembly. The initial permutation is part of the
// transposition that brings blocks into lanes and results out, once per
// block: all that happens between, from the issuer's key to the MAC, stays in
// lanes.
//
// # Time
//
// Table-driven DES looks up its S-boxes at addresses that depend on the key,
// and a cache tells on it. Here no address and no branch depends on a bit of
// key or data: a gate takes its time whatever it computes. What decides the
// time of a Run is public: how many chains it has, whether they begin with one
// key, and what shape they are, that is how many levels, which last key, how
// many blocks. The program in dudect measures that it is so:
// "make dudect".
//
// # Few chains
//
// A group of lanes takes the same time whether one lane is used or all: in wires
// one chain alone takes some 8 microseconds, and 64 together take not half as
// long again. So hand over all there is in one Run, and never wait for more.
//
// Where the processor has byte permutations of AVX-512 (VBMI) there is a core for
// the few, of 8 lanes (few_amd64.go, gen/vector/few.go). It has no wires. A lane
// is the 64 bits of a register that a block has; a register is an S-box, in which
// VPERMB looks up 64 inputs at once; and what DES permutes is picked bit by bit
// with VPMULTISHIFTQB. Nothing is looked up in memory, so this too takes its time
// whatever the bits are. A lone load takes 1.5 microseconds there.
//
// # Batches
//
// New takes the widest core that the processor has, for a batch of up to 16
// chains that of 8 lanes, and for one of up to 32 the core of 64 lanes, which any
// processor has and which goes through less memory than a wide one. On one core of a Zen 5 server, shared and busy, a
// TAC or a load in 512 lanes was 41 to 48 times as fast as with OpenSSL's legacy
// DES calls, 22 to 25 times in 256 lanes, and 7 to 8 times in 64, which are
// plain Go. The benchmarks print these ratios.
//
// # SM4
//
// In plain Go SM4 is on wires as DES is, in 64 lanes, with the S-box as a circuit
// of 109 gates. They invert in GF(2^8) by way of GF(2^4) and GF(2^2); gen/search
// finds the bases in which that takes the fewest.
//
// Vector cores have 96 lanes, in words as the standard has them: a register holds
// one word of 16 blocks, or of 8. What differs is where the inverse in the S-box
// comes from. AVX-512 with GFNI has it as an instruction, though in AES's field,
// to which an isomorphism leads that is part of the affine maps around it; AES-NI
// has it inside AES's S-box, which works on one register of 16 bytes. gen/sm4
// writes both. A TAC takes 17 to 22 ns, 105, and 180 in plain Go; a lone block
// 0.2, 0.4 and 2.6 microseconds.
//
// # Scripts
//
// The MACs and ciphers of issuer scripts take the same lanes as transactions,
// in the narrowest core (script.go). A batch that holds any of these is sorted
// by their courses first, which costs copies; one that does not is not touched.
//
// Keys are in this package's own memory for the length of a Run, which clears
// it. What the compiler keeps on the stack between two gates is beyond its
// reach, and is overwritten by the next Run.
//
// [PBOC]: docs/pboc.md
package lanes

//go:generate go run ./gen
