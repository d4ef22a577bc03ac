package lanes

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/emmansun/gmsm/sm4"
)

// Every lane has a key and a block of its own, and gmsm agrees on each.
func TestSM4AgreesWithGMSM(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for range 200 {
		var keys, blocks [sm4Lanes][16]byte
		var k, b sm4Block
		for lane := range keys {
			for i := range 16 {
				keys[lane][i], blocks[lane][i] = byte(r.Uint32()), byte(r.Uint32())
			}
			for i := range 4 {
				k[i][lane] = binary.BigEndian.Uint32(keys[lane][4*i:])
				b[i][lane] = binary.BigEndian.Uint32(blocks[lane][4*i:])
			}
		}
		var rk sm4Key
		rk.expand(&k)
		rk.encrypt(&b)
		for lane := range keys {
			c, err := sm4.NewCipher(keys[lane][:])
			if err != nil {
				t.Fatal(err)
			}
			var want, got [16]byte
			c.Encrypt(want[:], blocks[lane][:])
			for i := range 4 {
				binary.BigEndian.PutUint32(got[4*i:], b[i][lane])
			}
			if got != want {
				t.Fatalf("lane %d: %X, gmsm has %X", lane, got, want)
			}
		}
	}
}

func BenchmarkSM4(b *testing.B) {
	var rk sm4Key
	var x sm4Block
	for b.Loop() {
		rk.encrypt(&x)
	}
}
