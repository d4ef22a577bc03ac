//go:build !race

package lanes

import (
	"fmt"
	"testing"
)

// The example of GB/T 32907, appendix A.2: a block enciphered a million times.
// The race detector makes minutes of the seconds that plain Go takes, and one
// goroutine does it all.
func TestSM4MillionTimes(t *testing.T) {
	eachSM4(t, func(t *testing.T, use sm4Core) {
		rk, blocks := sm4Example(t, use)
		for range 1_000_000 {
			use.encrypt(&rk, &blocks, &sm4Nothing, 1)
		}
		if got, want := fmt.Sprintf("%X", blocks[0]), "595298C7C6FD271F0402F804C33D3F66"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}
