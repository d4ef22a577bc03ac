//go:build cgo && !nopkcs11 && !windows

package pkcs11_test

import (
	"context"
	"errors"
	"flag"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/pkcs11/tokentest"
	"pbochsm/vectors"
)

var chainCount = flag.Int("pkcs11.chains", 2000, "how many random chains to hold against the reference, on each token")

func TestConformance(t *testing.T) {
	tokentest.Each(t, func(t *testing.T, f tokentest.Fixture) {
		keys := install(t, f, vectors.Keys(), vectors.Profiles()...)
		b := serve(t, f.Config(t))
		if err := b.Check(t.Context(), keys); err != nil {
			t.Fatal(err)
		}
		hsm := &both{
			token:    mac.NewEngine(keystore.NewLive(keys), b),
			software: mac.NewEngine(keystore.NewLive(snapshot(t, vectors.Keys(), vectors.Profiles()...)), reference.Backend{}),
			refused:  map[mac.Kind]int{},
		}
		for _, batch := range []int{0, 1} {
			report, err := vectors.Run(t.Context(), hsm, vectors.Options{Batch: batch})
			if err != nil {
				t.Errorf("batches of %d: %v", batch, err)
			}
			for _, f := range report.Failures() {
				t.Error(f)
			}
			t.Logf("%d vectors, TAC keys by way %s; refused: %v", report.Cases(), b.Status().TAC, hsm.refused)
		}
		for kind, n := range hsm.refused {
			if hsm.answered[kind] == 0 {
				t.Errorf("the token refused all %d of %s", n, kind)
			}
		}
	})
}

// A both asks the token, and the software what the token says it cannot do: the
// ciphers that it lacks, and a retail MAC under a card's own key. Those must be
// refused, never answered wrongly.
type both struct {
	token, software *mac.Engine
	refused         map[mac.Kind]int
	answered        map[mac.Kind]int
}

func (h *both) Do(ctx context.Context, ops []mac.Op) error {
	if h.answered == nil {
		h.answered = map[mac.Kind]int{}
	}
	asked := append([]mac.Op(nil), ops...)
	if err := h.token.Do(ctx, ops); err != nil {
		return err
	}
	for i := range ops {
		if !errors.Is(ops[i].Err, mac.ErrUnsupported) {
			h.answered[ops[i].Kind]++
			continue
		}
		h.refused[ops[i].Kind]++
		if err := h.software.Do(ctx, asked[i:i+1]); err != nil {
			return err
		}
		ops[i] = asked[i]
	}
	return nil
}

func TestAgreesWithReference(t *testing.T) {
	tokentest.Each(t, func(t *testing.T, f tokentest.Fixture) {
		s := newSource(1)
		entries := s.entries()
		keys := install(t, f, entries)
		b := serve(t, f.Config(t))
		cards := s.chains(8, entries) // seen again and again
		for left := *chainCount; left > 0; {
			n := min(left, 1+s.IntN(100))
			left -= n
			chains := s.chains(n, entries)
			for i := range chains {
				if s.IntN(4) == 0 {
					card := cards[s.IntN(len(cards))]
					chains[i] = s.another(card)
				}
			}
			want := judged(t, entries, chains)
			if err := b.Run(t.Context(), keys, chains); err != nil {
				t.Fatal(err)
			}
			for i := range chains {
				if !same(chains[i], want[i]) {
					t.Fatalf("chain %d of %d: MACs %x, error %v; the reference has %x\nchain: %+v",
						i, n, chains[i].MAC, chains[i].Err, want[i].MAC, chains[i])
				}
			}
		}
	})
}
