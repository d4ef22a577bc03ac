package protocol

import (
	"encoding/hex"
	"strings"
	"testing"
)

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
