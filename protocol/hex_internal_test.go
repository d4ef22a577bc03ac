package protocol

import (
	"encoding/hex"
	"strings"
	"testing"
)

// Every pair of bytes, at every place, is read as
// encoding/hex reads it.
func TestUnhexAllPairs(t *testing.T) {
	const clean = "09afAF"
	for place := 0; place < len(clean); place += 2 {
		src := []byte(clean)
		for pair := range 1 << 16 {
			src[place], src[place+1] = byte(pair>>8), byte(pair)
			var got [len(clean) / 2]byte
			ok := unhex(got[:], src)
			want, err := hex.DecodeString(string(src))
			if ok != (err == nil) {
				t.Fatalf("%q: ok = %v, encoding/hex: %v", src, ok, err)
			}
			if ok && string(got[:]) != string(want) {
				t.Fatalf("%q: %X, want %X", src, got, want)
			}
		}
	}
}

func TestAppendHex(t *testing.T) {
	var all [256]byte
	for i := range all {
		all[i] = byte(i)
	}
	if got, want := string(appendHex(nil, all[:])), strings.ToUpper(hex.EncodeToString(all[:])); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, tc := range []struct {
		v, base, n int
		want       string
	}{{0, 10, 3, "000"}, {999, 10, 3, "999"}, {0xFFF, 16, 3, "FFF"}, {255, 16, 4, "00FF"}} {
		if got := string(appendNumber(nil, tc.v, tc.base, tc.n)); got != tc.want {
			t.Errorf("appendNumber(%d, %d, %d) = %s, want %s", tc.v, tc.base, tc.n, got, tc.want)
		}
	}
}
