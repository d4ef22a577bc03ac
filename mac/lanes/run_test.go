package lanes_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/lanes"
	"pbochsm/mac/reference"
)

// What lanes cannot run is refused alone; its neighbours are answered.
func TestRefusesChains(t *testing.T) {
	s := newSource(4)
	secrets := s.secrets(2)
	snap := snapshot(t, secrets...)
	for name, test := range map[string]struct {
		spoil func(*mac.Chain)
		want  error
	}{
		"no such key":     {func(c *mac.Chain) { c.Key = 2 }, keystore.ErrNotFound},
		"last handle":     {func(c *mac.Chain) { c.Key = 0xFFFF }, keystore.ErrNotFound},
		"too many levels": {func(c *mac.Chain) { c.Levels = keystore.MaxLevels + 1 }, mac.ErrUnsupported},
		"no final":        {func(c *mac.Chain) { c.Final = 0 }, mac.ErrUnsupported},
		"a card's key":    {func(c *mac.Chain) { c.Final = mac.FinalCard }, mac.ErrUnsupported},
		"unknown final":   {func(c *mac.Chain) { c.Final = mac.FinalCard + 1 }, mac.ErrUnsupported},
		"unknown mode":    {func(c *mac.Chain) { c.Mode = mac.ModeEncipher + 1 }, mac.ErrUnsupported},
		"no script":       {func(c *mac.Chain) { c.Mode, c.Final = mac.ModeRetail, mac.FinalCard }, mac.ErrUnsupported},
		"empty script":    {func(c *mac.Chain) { c.Mode, c.Final, c.Script = mac.ModeRetail, mac.FinalCard, new(mac.Script) }, mac.ErrUnsupported},
		"half a block": {func(c *mac.Chain) {
			c.Mode, c.Final, c.Script = mac.ModeEncipher, mac.FinalCard, &mac.Script{Data: make([]byte, 12)}
		}, mac.ErrUnsupported},
		"script too long": {func(c *mac.Chain) {
			c.Mode, c.Final, c.Script = mac.ModeEncipher, mac.FinalCard, &mac.Script{Data: make([]byte, mac.MaxText/8*8+8)}
		}, mac.ErrUnsupported},
		"script and session": {func(c *mac.Chain) {
			c.Mode, c.Final, c.Script = mac.ModeEncipher, mac.FinalSession, &mac.Script{Data: make([]byte, 16)}
		}, mac.ErrUnsupported},
		"first too long":  {func(c *mac.Chain) { c.Message[0].Blocks = mac.MaxBlocks + 1 }, mac.ErrUnsupported},
		"second too long": {func(c *mac.Chain) { c.Message[1].Blocks = 255 }, mac.ErrUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{1, 3, 64, 66, 600} {
				chains := s.batch(n, 2)
				for i := range chains {
					chains[i].Message[0].Blocks, chains[i].Message[1].Blocks = 2, 3
				}
				want := append([]mac.Chain(nil), chains...)
				if err := (reference.Backend{}).Run(context.Background(), snap, want); err != nil {
					t.Fatal(err)
				}
				at := n - 1 // with 66, in a group that follows another
				test.spoil(&chains[at])
				want[at] = chains[at]
				if err := lanes.New().Run(context.Background(), snap, chains); err != nil {
					t.Fatal(err)
				}
				if !errors.Is(chains[at].Err, test.want) || chains[at].MAC != ([2][8]byte{}) {
					t.Errorf("error %v, MACs %x; want %v and none", chains[at].Err, chains[at].MAC, test.want)
				}
				want[at].Err = chains[at].Err
				for i := range chains {
					if chains[i] != want[i] {
						t.Errorf("chain %d beside the refused one: MACs %x, want %x", i, chains[i].MAC, want[i].MAC)
					}
				}
			}
		})
	}
}

// The keystore knows no further cipher, so the test makes one up.
func TestRefusesOtherCiphers(t *testing.T) {
	snap := snapshot(t, keystore.Secret{})
	snap.Key(0).Cipher = keystore.CipherSM4 + 1
	chains := []mac.Chain{{Final: mac.FinalTAC}}
	chains[0].Message[0].Blocks = 1
	if err := lanes.New().Run(context.Background(), snap, chains); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(chains[0].Err, mac.ErrUnsupported) || chains[0].MAC != ([2][8]byte{}) {
		t.Errorf("error %v, MACs %x; want ErrUnsupported and none", chains[0].Err, chains[0].MAC)
	}
}

// A message without blocks has no MAC, and what stands in its place stays.
func TestLeavesWhatHasNoMessage(t *testing.T) {
	s := newSource(5)
	snap := snapshot(t, s.secrets(1)...)
	for _, n := range []int{1, 64} {
		chains := s.batch(n, 1)
		for i := range chains {
			chains[i].Message[1].Blocks = 0
			chains[i].MAC[1] = [8]byte{1, 2, 3}
		}
		agree(t, lanes.New(), snap, chains)
		for i := range chains {
			if chains[i].MAC[1] != ([8]byte{1, 2, 3}) {
				t.Errorf("MAC of no message: %x", chains[i].MAC[1])
			}
		}
	}
}

// expiring is a context that ends after some looks at it.
type expiring struct {
	context.Context
	looks int
}

func (c *expiring) Err() error {
	if c.looks--; c.looks < 0 {
		return context.Canceled
	}
	return nil
}

func TestLooksAtContextBetweenGroups(t *testing.T) {
	eachWidth(t, func(t *testing.T, b *lanes.Backend, width int) {
		s := newSource(6)
		snap := snapshot(t, s.secrets(1)...)
		for _, test := range []struct {
			chains, looks int
			want          error
		}{
			{1, 0, context.Canceled}, {1, 1, nil},
			{width, 1, nil}, {width + 1, 1, context.Canceled}, {width + 1, 2, nil},
			{10 * width, 9, context.Canceled}, {10 * width, 10, nil}, {0, 0, nil},
		} {
			ctx := &expiring{context.Background(), test.looks}
			if err := b.Run(ctx, snap, s.batch(test.chains, 1)); !errors.Is(err, test.want) {
				t.Errorf("%d chains, context ends after %d looks: %v, want %v", test.chains, test.looks, err, test.want)
			}
		}
	})
}

func TestRunAllocatesNothing(t *testing.T) {
	eachWidth(t, func(t *testing.T, b *lanes.Backend, width int) {
		s := newSource(7)
		snap := snapshot(t, s.secrets(4)...)
		for _, n := range []int{1, width / 2, width, 3*width + 8} {
			chains := s.batch(n, 4)
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

func TestConcurrentRuns(t *testing.T) {
	s := newSource(8)
	snap, b := snapshot(t, s.secrets(4)...), lanes.New()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			s := newSource(uint64(100 + i))
			for range 50 {
				chains := s.batch(1+s.IntN(100), 4)
				want := append([]mac.Chain(nil), chains...)
				_ = reference.Backend{}.Run(context.Background(), snap, want)
				if err := b.Run(context.Background(), snap, chains); err != nil {
					t.Error(err)
				}
				for i := range chains {
					if chains[i].MAC != want[i].MAC {
						t.Errorf("chain %d: MACs %x, want %x", i, chains[i].MAC, want[i].MAC)
						return
					}
				}
			}
		})
	}
	all.Wait()
}
