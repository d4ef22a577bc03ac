package lanes

import (
	"context"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/emmansun/gmsm/sm4"

	"pbochsm/keystore"
)

// eachSM4 runs a test with each core that this processor has.
func eachSM4(t *testing.T, test func(t *testing.T, use sm4Core)) {
	t.Helper()
	for _, c := range cores() {
		t.Run(c.sm4.core.name, func(t *testing.T) { test(t, c.sm4.core) })
	}
}

// Every lane has a key and a block of its own, and gmsm agrees on each, however
// many are in use.
func TestSM4AgreesWithGMSM(t *testing.T) {
	eachSM4(t, func(t *testing.T, use sm4Core) {
		r := rand.New(rand.NewPCG(4, 4))
		for i := range 400 {
			var keys, blocks sm4Rows
			for lane := range keys {
				for i := range keys[lane] {
					keys[lane][i], blocks[lane][i] = byte(r.Uint32()), byte(r.Uint32())
				}
			}
			got, n := blocks, 1+i%sm4Lanes
			var more sm4Rows
			for lane := range more { // what is enciphered comes in two summands
				for i := range more[lane] {
					more[lane][i] = byte(r.Uint32())
					got[lane][i] ^= more[lane][i]
				}
			}
			var rk sm4Key
			use.expand(&rk, &keys, n)
			use.encrypt(&rk, &got, &more, n)
			for lane := range n {
				c, err := sm4.NewCipher(keys[lane][:])
				if err != nil {
					t.Fatal(err)
				}
				var want [16]byte
				c.Encrypt(want[:], blocks[lane][:])
				if got[lane] != want {
					t.Fatalf("lane %d of %d: %X, gmsm has %X", lane, n, got[lane], want)
				}
			}
		}
	})
}

// sbox is that of GB/T 32907, section 6.2.
var sbox = [256]byte{
	0xD6, 0x90, 0xE9, 0xFE, 0xCC, 0xE1, 0x3D, 0xB7, 0x16, 0xB6, 0x14, 0xC2, 0x28, 0xFB, 0x2C, 0x05,
	0x2B, 0x67, 0x9A, 0x76, 0x2A, 0xBE, 0x04, 0xC3, 0xAA, 0x44, 0x13, 0x26, 0x49, 0x86, 0x06, 0x99,
	0x9C, 0x42, 0x50, 0xF4, 0x91, 0xEF, 0x98, 0x7A, 0x33, 0x54, 0x0B, 0x43, 0xED, 0xCF, 0xAC, 0x62,
	0xE4, 0xB3, 0x1C, 0xA9, 0xC9, 0x08, 0xE8, 0x95, 0x80, 0xDF, 0x94, 0xFA, 0x75, 0x8F, 0x3F, 0xA6,
	0x47, 0x07, 0xA7, 0xFC, 0xF3, 0x73, 0x17, 0xBA, 0x83, 0x59, 0x3C, 0x19, 0xE6, 0x85, 0x4F, 0xA8,
	0x68, 0x6B, 0x81, 0xB2, 0x71, 0x64, 0xDA, 0x8B, 0xF8, 0xEB, 0x0F, 0x4B, 0x70, 0x56, 0x9D, 0x35,
	0x1E, 0x24, 0x0E, 0x5E, 0x63, 0x58, 0xD1, 0xA2, 0x25, 0x22, 0x7C, 0x3B, 0x01, 0x21, 0x78, 0x87,
	0xD4, 0x00, 0x46, 0x57, 0x9F, 0xD3, 0x27, 0x52, 0x4C, 0x36, 0x02, 0xE7, 0xA0, 0xC4, 0xC8, 0x9E,
	0xEA, 0xBF, 0x8A, 0xD2, 0x40, 0xC7, 0x38, 0xB5, 0xA3, 0xF7, 0xF2, 0xCE, 0xF9, 0x61, 0x15, 0xA1,
	0xE0, 0xAE, 0x5D, 0xA4, 0x9B, 0x34, 0x1A, 0x55, 0xAD, 0x93, 0x32, 0x30, 0xF5, 0x8C, 0xB1, 0xE3,
	0x1D, 0xF6, 0xE2, 0x2E, 0x82, 0x66, 0xCA, 0x60, 0xC0, 0x29, 0x23, 0xAB, 0x0D, 0x53, 0x4E, 0x6F,
	0xD5, 0xDB, 0x37, 0x45, 0xDE, 0xFD, 0x8E, 0x2F, 0x03, 0xFF, 0x6A, 0x72, 0x6D, 0x6C, 0x5B, 0x51,
	0x8D, 0x1B, 0xAF, 0x92, 0xBB, 0xDD, 0xBC, 0x7F, 0x11, 0xD9, 0x5C, 0x41, 0x1F, 0x10, 0x5A, 0xD8,
	0x0A, 0xC1, 0x31, 0x88, 0xA5, 0xCD, 0x7B, 0xBD, 0x2D, 0x74, 0xD0, 0x12, 0xB8, 0xE5, 0xB4, 0xB0,
	0x89, 0x69, 0x97, 0x4A, 0x0C, 0x96, 0x77, 0x7E, 0x65, 0xB9, 0xF1, 0x09, 0xC5, 0x6E, 0xC6, 0x84,
	0x18, 0xF0, 0x7D, 0xEC, 0x3A, 0xDC, 0x4D, 0x20, 0x79, 0xEE, 0x5F, 0x3E, 0xD7, 0xCB, 0x39, 0x48,
}

// The first round key of a key whose words, FK added, are K0 and three whose sum
// with CK is four times a byte b, is K0 with FK added to L'(S(b)), four times.
func TestSM4SBox(t *testing.T) {
	eachSM4(t, func(t *testing.T, use sm4Core) {
		for b := range 256 {
			var keys sm4Rows
			lane := b % sm4Lanes
			word := uint32(b)*0x01010101 ^ sm4FK[1] ^ sm4FK[2] ^ sm4FK[3] ^ sm4CK(0)
			for i := range 4 {
				keys[lane][4+i] = byte(word >> (24 - 8*i))
			}
			var rk sm4Key
			use.expand(&rk, &keys, sm4Lanes)
			s := sbox[b]
			want := sm4FK[0] ^ uint32(s^bits.RotateLeft8(s, 5)^bits.RotateLeft8(s, 7))*0x01010101
			found := 0
			for _, k := range rk[0] {
				if k == want {
					found++
				}
			}
			if found != 1 {
				t.Errorf("S(%02X): %d lanes have the round key %08X, want one", b, found, want)
			}
		}
	})
}

// Nothing that came from a key outlives a Run of SM4 chains.
func TestSM4RunLeavesNoSecrets(t *testing.T) {
	eachSM4(t, func(t *testing.T, use sm4Core) {
		snap, chains := testChains(t, 100)
		for i := range snap.Keys() {
			snap.Key(keystore.Handle(i)).Cipher = keystore.CipherSM4
		}
		for i := range chains {
			for m := range chains[i].Message {
				chains[i].Message[m].Blocks &^= 1
			}
		}
		var used *sm4Group
		pool := &sm4Pool{core: use}
		pool.groups.New = func() any { used = newSM4Group(use); return used }
		b := &Backend{cores: []core{{lanes: 64, sm4: pool}}}
		for _, looks := range []int{2, 1} {
			err := b.Run(&expiring{context.Background(), looks}, snap, chains)
			if (err != nil) != (looks < 2) {
				t.Errorf("%d looks: error %v", looks, err)
			}
			if *used.sm4Memory != (sm4Memory{}) || used.issued {
				t.Errorf("%d looks: secrets are left in memory", looks)
			}
		}
		used.run(snap, chains[:64])
		if *used.sm4Memory == (sm4Memory{}) {
			t.Error("a group keeps nothing while it runs: the test looks in the wrong place")
		}
	})
}

func BenchmarkSM4(b *testing.B) {
	for _, c := range cores() {
		core := c.sm4.core
		for _, n := range []int{1, sm4Lanes} {
			var rk sm4Key
			var x sm4Rows
			b.Run(core.name+"/expand", func(b *testing.B) {
				for b.Loop() {
					core.expand(&rk, &x, n)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/block")
			})
			b.Run(core.name+"/encrypt", func(b *testing.B) {
				for b.Loop() {
					core.encrypt(&rk, &x, &sm4Nothing, n)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/block")
			})
		}
	}
}
