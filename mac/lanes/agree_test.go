package lanes_test

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/lanes"
	"pbochsm/mac/reference"
)

var chainCount = flag.Int("lanes.chains", 100_000, "how many random chains of each cipher to hold against the reference")

// progress is after how many chains a part of a long test says how far it is.
const progress = 5_000_000

func TestAgreesWithReference(t *testing.T) {
	all := map[string]*lanes.Backend{"the chosen": lanes.New()}
	eachWidth(t, func(_ *testing.T, b *lanes.Backend, width int) { all[fmt.Sprint(width, " lanes")] = b })
	agreeAtRandom(t, 1, all, snapshot, source.batch)
}

func TestSM4AgreesWithReference(t *testing.T) {
	all := map[string]*lanes.Backend{}
	eachWidth(t, func(_ *testing.T, b *lanes.Backend, _ int) { all[b.SM4()] = b }) // widths share cores
	agreeAtRandom(t, 40, all, sm4Snapshot, source.sm4Batch)
}

// agreeAtRandom draws chainCount chains in batches of all sizes, in as many parts
// as there are processors, and holds what each backend makes of them against
// the reference.
func agreeAtRandom(t *testing.T, seed uint64, all map[string]*lanes.Backend,
	snapshot func(testing.TB, ...keystore.Secret) *keystore.Snapshot, batch func(s source, n, keys int) []mac.Chain,
) {
	const keys = 16
	widths := lanes.Widths()
	parts := runtime.GOMAXPROCS(0)
	for part := range parts {
		t.Run(fmt.Sprint("part ", part), func(t *testing.T) {
			t.Parallel()
			s := newSource(seed + 1000*uint64(part))
			snap := snapshot(t, s.secrets(keys)...)
			for done := 0; done < *chainCount/parts; {
				chains := batch(s, 1+s.IntN(2*widths[s.IntN(len(widths))]+22), keys)
				want := expect(t, snap, chains)
				for name, b := range all {
					if err := match(b, snap, append([]mac.Chain(nil), chains...), want); err != nil {
						t.Fatalf("%s: %v", name, err)
					}
				}
				n := len(chains)
				if done += n; done/progress > (done-n)/progress {
					t.Logf("%d million chains", done/1_000_000)
				}
			}
		})
	}
}

// agree runs chains here and with the reference.
func agree(t testing.TB, b *lanes.Backend, keys *keystore.Snapshot, chains []mac.Chain) {
	t.Helper()
	if err := match(b, keys, chains, expect(t, keys, chains)); err != nil {
		t.Fatal(err)
	}
}

// expect is what the reference makes of chains.
func expect(t testing.TB, keys *keystore.Snapshot, chains []mac.Chain) []mac.Chain {
	t.Helper()
	want := append([]mac.Chain(nil), chains...)
	if err := (reference.Backend{}).Run(context.Background(), keys, want); err != nil {
		t.Fatal(err)
	}
	return want
}

// match runs chains and compares them with what they should become.
func match(b *lanes.Backend, keys *keystore.Snapshot, chains, want []mac.Chain) error {
	if err := b.Run(context.Background(), keys, chains); err != nil {
		return err
	}
	for i := range chains {
		if chains[i] != want[i] {
			return fmt.Errorf("chain %d of %d: MACs %x, error %v; the reference has %x, %v\nchain: %+v",
				i, len(chains), chains[i].MAC, chains[i].Err, want[i].MAC, want[i].Err, chains[i])
		}
	}
	return nil
}
