//go:build cgo && !nopkcs11 && linux

package pkcs11_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"testing"

	"pbochsm/keystore"
	"pbochsm/pkcs11/tokentest"
)

var transactions = flag.Int("pkcs11.transactions", 10_000, "how many transactions to watch the memory over")

// SoftHSM keeps some 250 bytes of every key that was ever derived. Initializing
// the module afresh now and then frees them; no request may notice.
func TestMemoryStaysFlat(t *testing.T) {
	f := tokentest.SoftHSM(t)
	s := newSource(2)
	entries := s.entries()
	keys := install(t, f, entries)
	cfg := f.Config(t)
	cfg.Reinitialize = min(cfg.Profile.Reinitialize, *transactions/6)
	b := serve(t, cfg)

	const warm, parts = 3, 10 // of the run: memory settles, then it is watched
	var sizes [parts]int
	for part := range parts {
		for done := 0; done < *transactions/parts; {
			chains := s.chains(64, entries)
			want := judged(t, entries, chains)
			for i := range chains {
				if err := b.Run(t.Context(), keys, chains[i:i+1]); err != nil {
					t.Fatal(err)
				}
				if !same(chains[i], want[i]) {
					t.Fatalf("MACs %x, error %v; want %x", chains[i].MAC, chains[i].Err, want[i].MAC)
				}
			}
			done += len(chains)
		}
		debug.FreeOSMemory()
		sizes[part] = resident(t)
		t.Logf("%7d transactions: %d KiB resident, %d re-initializations", (part+1)**transactions/parts, sizes[part], b.Status().Recoveries["planned"])
	}
	if b.Status().Recoveries["planned"] < 2 {
		t.Errorf("the module was not initialized afresh: %v", b.Status().Recoveries)
	}
	low, high := sizes[warm], sizes[warm]
	for _, size := range sizes[warm:] {
		low, high = min(low, size), max(high, size)
	}
	// Between two initializations the memory goes up by what the module keeps of
	// that many keys; the allocator may need the same again.
	const perKey, slack = 300, 24 << 10
	if most := 2*cfg.Reinitialize*perKey>>10 + slack; high-low > most {
		t.Errorf("resident memory went from %d to %d KiB, by more than %d", low, high, most)
	}
}

// resident is the resident memory of this process in KiB.
func resident(t *testing.T) (size int) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := bytes.Cut(status, []byte("VmRSS:"))
	if _, err := fmt.Sscan(string(after), &size); err != nil {
		t.Fatal(err)
	}
	return size
}

// The load must reach every shape of chain, or the memory of some would go
// unwatched.
func TestLoadHasEveryShape(t *testing.T) {
	s := newSource(2)
	entries := s.entries()
	seen := map[[2]uint8]bool{}
	for _, c := range s.chains(1000, entries) {
		seen[[2]uint8{c.Levels, uint8(c.Final)}] = true
	}
	if want := 4 * (keystore.MaxLevels + 1); len(seen) != want {
		t.Errorf("%d shapes of %d", len(seen), want)
	}
}
