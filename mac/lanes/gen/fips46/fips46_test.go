package fips46_test

import (
	"crypto/des"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"pbochsm/mac/lanes/gen/fips46"
)

// pick gives the bits of v, which has size bits, that a table names.
func pick(v uint64, size int, table []int) (picked uint64) {
	for _, bit := range table {
		picked = picked<<1 | v>>(size-bit)&1
	}
	return picked
}

func turn(half uint64, n int) uint64 { return (half<<n | half>>(28-n)) & (1<<28 - 1) }

// encrypt is the standard's own description, and nothing but its tables.
func encrypt(key, block uint64) uint64 {
	cd := pick(key, 64, fips46.PC1[:])
	c, d := cd>>28, cd&(1<<28-1)
	block = pick(block, 64, fips46.IP[:])
	l, r := block>>32, block&(1<<32-1)
	for _, n := range fips46.Rotations {
		c, d = turn(c, n), turn(d, n)
		in := pick(r, 32, fips46.E[:]) ^ pick(c<<28|d, 56, fips46.PC2[:])
		var out uint64
		for box := 1; box <= 8; box++ {
			out = out<<4 | uint64(fips46.Substitute(box, int(in>>(48-6*box)&63)))
		}
		l, r = r, l^pick(out, 32, fips46.P[:])
	}
	block = r<<32 | l
	var out uint64
	for i, bit := range fips46.IP { // the inverse of IP
		out |= block >> (63 - i) & 1 << (64 - bit)
	}
	return out
}

func TestTablesMakeDES(t *testing.T) {
	random := rand.New(rand.NewPCG(46, 3))
	for range 1000 {
		key, block := random.Uint64(), random.Uint64()
		c, err := des.NewCipher(binary.BigEndian.AppendUint64(nil, key))
		if err != nil {
			t.Fatal(err)
		}
		var want [8]byte
		c.Encrypt(want[:], binary.BigEndian.AppendUint64(nil, block))
		if got := encrypt(key, block); got != binary.BigEndian.Uint64(want[:]) {
			t.Fatalf("DES(%016x, %016x) = %016x, want %x", key, block, got, want)
		}
	}
}
