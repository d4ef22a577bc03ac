package lanes_test

import (
	"context"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/lanes"
)

// sm4Batch draws chains as the lanes of DES get them, in messages of whole SM4
// blocks.
func (s source) sm4Batch(n, keys int) []mac.Chain {
	chains := s.batch(n, keys)
	for i := range chains {
		for m := range chains[i].Message {
			chains[i].Message[m].Blocks &^= 1
		}
	}
	return chains
}

// sm4Snapshot makes a snapshot of SM4 keys.
func sm4Snapshot(t testing.TB, secrets ...keystore.Secret) *keystore.Snapshot {
	t.Helper()
	snap := snapshot(t, secrets...)
	for i := range secrets {
		snap.Key(keystore.Handle(i)).Cipher = keystore.CipherSM4
	}
	return snap
}

// Group sizes at which the work is arranged in another way.
func TestSM4AgreesAtEverySize(t *testing.T) {
	const keys = 16
	eachWidth(t, func(t *testing.T, b *lanes.Backend, _ int) {
		s := newSource(40)
		snap := sm4Snapshot(t, s.secrets(keys)...)
		for n := range 2*64 + 3 {
			agree(t, b, snap, s.sm4Batch(n, keys))
		}
	})
}

// What the operating system says of the processor decides which core there must
// be.
func TestSM4CoreOfThisProcessor(t *testing.T) {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil || runtime.GOARCH != "amd64" {
		t.Skip("nothing tells what this processor has")
	}
	has := func(flags ...string) bool {
		all := strings.Fields(string(text))
		return !slices.ContainsFunc(flags, func(f string) bool { return !slices.Contains(all, f) })
	}
	want := "plain Go"
	if has("avx2", "aes") {
		want = "AVX2 and AES-NI"
	}
	if has("avx512f", "avx512bw", "gfni") {
		want = "AVX-512 and GFNI"
	}
	if got := lanes.New().SM4(); got != want {
		t.Errorf("SM4 runs with %s, want %s", got, want)
	}
}

// What SM4 lanes cannot run is refused alone.
func TestSM4RefusesChains(t *testing.T) {
	eachWidth(t, func(t *testing.T, b *lanes.Backend, _ int) {
		s := newSource(41)
		snap := sm4Snapshot(t, s.secrets(2)...)
		for name, spoil := range map[string]func(*mac.Chain){
			"half a block":    func(c *mac.Chain) { c.Message[0].Blocks = 3 },
			"too many levels": func(c *mac.Chain) { c.Levels = keystore.MaxLevels + 1 },
			"no final":        func(c *mac.Chain) { c.Final = 0 },
			"a card's key":    func(c *mac.Chain) { c.Final = mac.FinalCard },
			"3DES alone": func(c *mac.Chain) {
				c.Mode, c.Final, c.Script = mac.ModeTriple, mac.FinalCard, &mac.Script{Data: make([]byte, 16)}
			},
		} {
			for _, n := range []int{1, 64, 66} {
				chains := s.sm4Batch(n, 2)
				at := s.IntN(n)
				spoil(&chains[at])
				want := append([]mac.Chain(nil), chains...)
				want = append(want[:at], want[at+1:]...)
				if err := b.Run(context.Background(), snap, chains); err != nil {
					t.Fatal(err)
				}
				if chains[at].Err == nil || chains[at].MAC != ([2][8]byte{}) {
					t.Errorf("%s: error %v, MACs %x", name, chains[at].Err, chains[at].MAC)
				}
				agree(t, b, snap, want)
				for i, c := range append(chains[:at:at], chains[at+1:]...) {
					if c != want[i] {
						t.Errorf("%s: chain %d beside the refused one has MACs %x, want %x", name, i, c.MAC, want[i].MAC)
					}
				}
			}
		}
	})
}

func TestSM4AllocatesNothing(t *testing.T) {
	eachWidth(t, func(t *testing.T, b *lanes.Backend, _ int) {
		s := newSource(42)
		snap := sm4Snapshot(t, s.secrets(4)...)
		for _, n := range []int{1, 64, 200} {
			chains := s.sm4Batch(n, 4)
			if allocs := testing.AllocsPerRun(100, func() {
				if err := b.Run(context.Background(), snap, chains); err != nil {
					t.Fatal(err)
				}
			}); allocs != 0 {
				t.Errorf("%d chains: %v allocations in a Run", n, allocs)
			}
		}
	})
}

// What a TAC takes, in batches as large as those of a settlement file.
func BenchmarkSM4TAC(b *testing.B) {
	for _, width := range lanes.Widths() {
		backend, err := lanes.NewWidth(width)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(backend.SM4(), func(b *testing.B) {
			s := newSource(43)
			snap := sm4Snapshot(b, s.secrets(1)...)
			chains := make([]mac.Chain, 2048)
			for i := range chains {
				chains[i] = s.chain(1)
				chains[i].Levels, chains[i].Final = 1, mac.FinalTAC
				chains[i].Message[0].Blocks, chains[i].Message[1].Blocks = 4, 0
			}
			fastest := time.Hour
			for b.Loop() {
				start := time.Now()
				if err := backend.Run(context.Background(), snap, chains); err != nil {
					b.Fatal(err)
				}
				fastest = min(fastest, time.Since(start))
			}
			b.ReportMetric(float64(fastest.Nanoseconds())/float64(len(chains)), "ns/card")
		})
	}
}
