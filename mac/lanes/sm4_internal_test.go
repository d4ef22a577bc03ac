package lanes

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/emmansun/gmsm/sm4"

	"pbochsm/keystore"
	"pbochsm/mac/lanes/gen/gbt32907"
)

// sm4Cores is those that this processor has.
func sm4Cores() (all []sm4Core) {
	for _, c := range cores() {
		if len(all) == 0 || all[len(all)-1].name != c.sm4.core.name {
			all = append(all, c.sm4.core)
		}
	}
	return all
}

// eachSM4 runs a test with each core that this processor has.
func eachSM4(t *testing.T, test func(t *testing.T, use sm4Core)) {
	t.Helper()
	for _, core := range sm4Cores() {
		t.Run(core.name, func(t *testing.T) { test(t, core) })
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
			got, n := blocks, 1+i%use.lanes
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

// The example of GB/T 32907, appendix A.1, in every lane.
func TestSM4Example(t *testing.T) {
	eachSM4(t, func(t *testing.T, use sm4Core) {
		rk, blocks := sm4Example(t, use)
		use.encrypt(&rk, &blocks, &sm4Nothing, use.lanes)
		for lane := range use.lanes {
			if got, want := fmt.Sprintf("%X", blocks[lane]), "681EDF34D206965E86B3E94F536E4246"; got != want {
				t.Errorf("lane %d: %s, want %s", lane, got, want)
			}
		}
	})
}

// sm4Example is the key, expanded, and the plaintext of the examples.
func sm4Example(t *testing.T, use sm4Core) (rk sm4Key, blocks sm4Rows) {
	t.Helper()
	text, err := hex.DecodeString("0123456789ABCDEFFEDCBA9876543210")
	if err != nil {
		t.Fatal(err)
	}
	for lane := range blocks {
		blocks[lane] = [16]byte(text)
	}
	keys := blocks
	use.expand(&rk, &keys, use.lanes)
	return rk, blocks
}

// The first round key of a key whose words, FK added, are K0 and three whose sum
// with CK is four times a byte b, is K0 with FK added to L'(S(b)), four times.
func TestSM4SBox(t *testing.T) {
	eachSM4(t, func(t *testing.T, use sm4Core) {
		for b := range 256 {
			var keys sm4Rows
			lane := b % use.lanes
			word := uint32(b)*0x01010101 ^ sm4FK[1] ^ sm4FK[2] ^ sm4FK[3] ^ sm4CK(0)
			for i := range 4 {
				keys[lane][4+i] = byte(word >> (24 - 8*i))
			}
			var rk sm4Key
			use.expand(&rk, &keys, use.lanes)
			s := gbt32907.Substitute(byte(b))
			want := sm4FK[0] ^ uint32(s^bits.RotateLeft8(s, 5)^bits.RotateLeft8(s, 7))*0x01010101
			found := 0
			for _, k := range roundKeys(use, &rk, 0) {
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

// roundKeys is those of each lane, in whatever order the core has them.
func roundKeys(use sm4Core, rk *sm4Key, round int) (keys []uint32) {
	if use.name == sm4Plain.name {
		for lane := range use.lanes {
			k := uint32(0)
			for i, wire := range rk.word(round) {
				k |= uint32(wire>>lane&1) << i
			}
			keys = append(keys, k)
		}
		return keys
	}
	for _, two := range rk[round] {
		keys = append(keys, uint32(two), uint32(two>>32))
	}
	return keys
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
	for _, core := range sm4Cores() {
		for _, n := range []int{1, core.lanes} {
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
