package protocol

import "testing"

func TestAppendNumber(t *testing.T) {
	for _, tc := range []struct {
		v, base, n int
		want       string
	}{{0, 10, 3, "000"}, {999, 10, 3, "999"}, {0xFFF, 16, 3, "FFF"}, {255, 16, 4, "00FF"}} {
		if got := string(appendNumber(nil, tc.v, tc.base, tc.n)); got != tc.want {
			t.Errorf("appendNumber(%d, %d, %d) = %s, want %s", tc.v, tc.base, tc.n, got, tc.want)
		}
	}
}
