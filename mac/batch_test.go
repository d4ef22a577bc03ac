package mac_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// rightOps are someOps with the claims that are right.
func rightOps(t *testing.T) []mac.Op {
	ops := someOps()
	for i := range ops {
		if claim, ok := ops[i].Kind.Claims(); ok {
			last := lastBlocks(t, ops[i])[0]
			copy(claim.Bytes(&ops[i]), last[:4])
		}
	}
	return ops
}

// spoil makes an op wrong in one way and gives the error that it must get.
var spoil = []struct {
	name  string
	apply func(op *mac.Op) error
}{
	{"unknown set", func(op *mac.Op) error { op.Key.Set = 0xEE; return keystore.ErrNotFound }},
	{"unknown version", func(op *mac.Op) error { op.Key.Version = 0x7F; return keystore.ErrNotFound }},
	{"wrong algorithm", func(op *mac.Op) error { op.Key.Algorithm = 1; return keystore.ErrAlgorithm }},
	{"wrong usage", func(op *mac.Op) error { op.Key.Set = 2; return keystore.ErrUsage }},
	{"retired key", func(op *mac.Op) error { op.Key.Set = 3; return keystore.ErrRetired }},
	{"pending key", func(op *mac.Op) error { op.Key.Set = 4; return keystore.ErrRetired }},
	{"too few factors", func(op *mac.Op) error { op.Levels = 1; return mac.ErrInvalid }},
	{"no kind", func(op *mac.Op) error { op.Kind = 0; return mac.ErrUnsupported }},
	{"unknown kind", func(op *mac.Op) error { op.Kind = 0xFF; return mac.ErrUnsupported }},
	{"wrong claim", func(op *mac.Op) error {
		claim, ok := op.Kind.Claims()
		if !ok {
			return nil
		}
		claim.Bytes(op)[3] ^= 1
		return op.Kind.Mismatch()
	}},
}

// spoiledKeys are the keys that spoil speaks of, beside those that work.
func spoiledKeys() []keystore.Entry {
	keys := keysWithLevels(2)
	other := testKey(keystore.UsageAuthenticate, 2)
	other.Set = 2
	keys = append(keys, other)
	for _, k := range keysWithLevels(2) {
		k.Set, k.State = 3, keystore.StateRetired
		keys = append(keys, k)
		k.Set, k.State = 4, keystore.StatePending
		keys = append(keys, k)
	}
	return keys
}

// TestNoAnswerWithAnError spoils every operation in every way, with an answer
// left over from before.
func TestNoAnswerWithAnError(t *testing.T) {
	hsm := newEngine(t, new(recorder), spoiledKeys()...)
	for _, s := range spoil {
		t.Run(s.name, func(t *testing.T) {
			for _, op := range rightOps(t) {
				kind := op.Kind
				want := s.apply(&op)
				if want == nil {
					continue
				}
				op.Answer = [4]byte{1, 2, 3, 4}
				got := ask(t, hsm, op)
				if !errors.Is(got.Err, want) {
					t.Errorf("%s: error %v, want %v", kind, got.Err, want)
				}
				if got.Answer != [4]byte{} {
					t.Errorf("%s: answer %X beside the error", kind, got.Answer)
				}
			}
		})
	}
}

// TestBatchIsAnsweredPerOp mixes right and spoiled operations, more than one
// page of lanes of them, and holds each answer against the one it gets alone.
func TestBatchIsAnsweredPerOp(t *testing.T) {
	hsm := newEngine(t, new(recorder), spoiledKeys()...)
	var ops []mac.Op
	for _, right := range rightOps(t) {
		for _, s := range spoil {
			spoiled := right
			s.apply(&spoiled)
			ops = append(ops, right, spoiled, right)
		}
	}
	batch := slices.Clone(ops)
	if err := hsm.Do(context.Background(), batch); err != nil {
		t.Fatal(err)
	}
	for i := range ops {
		if alone := ask(t, hsm, ops[i]); batch[i] != alone {
			t.Errorf("op %d (%s): %X, %v in the batch; %X, %v alone",
				i, ops[i].Kind, batch[i].Answer, batch[i].Err, alone.Answer, alone.Err)
		}
		if i%3 != 1 && batch[i].Err != nil {
			t.Errorf("op %d (%s) is right: %v", i, ops[i].Kind, batch[i].Err)
		}
	}
}

// TestManyAreArranged has operations of all kinds in turns: a backend gets those
// that are alike side by side, and those with fewer levels first.
func TestManyAreArranged(t *testing.T) {
	r := new(recorder)
	hsm := newEngine(t, r, append(keysWithLevels(2), otherLevels()...)...)
	var ops []mac.Op
	for range 20 {
		for _, op := range rightOps(t) {
			ops = append(ops, op)
			op.Key.Set, op.Levels = 9, 1
			ops = append(ops, op)
		}
	}
	if err := hsm.Do(context.Background(), ops); err != nil {
		t.Fatal(err)
	}
	if len(r.chains) != len(ops) {
		t.Fatalf("%d chains for %d operations", len(r.chains), len(ops))
	}
	changes := 0
	for i := 1; i < len(r.chains); i++ {
		before, c := &r.chains[i-1], &r.chains[i]
		if c.Levels < before.Levels {
			t.Fatalf("chain %d has %d levels, the one before %d", i, c.Levels, before.Levels)
		}
		if c.Key != before.Key || c.Data != before.Data || c.Message != before.Message {
			changes++
		}
	}
	if kinds := len(ops) / 20; changes >= 2*kinds {
		t.Errorf("%d times a chain is unlike the one before, of %d that there are", changes, kinds)
	}
}

// otherLevels are keys of one level.
func otherLevels() []keystore.Entry {
	keys := keysWithLevels(1)
	for i := range keys {
		keys[i].Set = 9
	}
	return keys
}

// TestRefusedOpsReachNoBackend holds that nothing is computed under a key that
// may not answer.
func TestRefusedOpsReachNoBackend(t *testing.T) {
	r := new(recorder)
	hsm := newEngine(t, r, spoiledKeys()...)
	for _, s := range spoil {
		if s.name == "wrong claim" {
			continue
		}
		op := someLoad.Op()
		s.apply(&op)
		ask(t, hsm, op)
	}
	if len(r.chains) != 0 {
		t.Errorf("%d chains were run", len(r.chains))
	}
}

func TestEmptyBatch(t *testing.T) {
	if err := newEngine(t, new(recorder), keysWithLevels(2)...).Do(context.Background(), nil); err != nil {
		t.Error(err)
	}
}

var errBackend = errors.New("the token is gone")

// TestBackendErrorIsEveryOps has a backend fail as a whole after it has
// written MACs.
func TestBackendErrorIsEveryOps(t *testing.T) {
	hsm := newEngine(t, backendFunc(func(_ context.Context, _ *keystore.Snapshot, chains []mac.Chain) error {
		for i := range chains {
			chains[i].MAC = [2][8]byte{{1}, {2}}
		}
		return errBackend
	}), spoiledKeys()...)
	ops := rightOps(t)
	ops[1].Key.Set = 0xEE // refused before the backend is asked
	for i := range ops {
		ops[i].Answer = [4]byte{1, 2, 3, 4}
	}
	if err := hsm.Do(context.Background(), ops); !errors.Is(err, errBackend) {
		t.Errorf("Do: %v, want that of the backend", err)
	}
	for _, op := range ops {
		if !errors.Is(op.Err, errBackend) || op.Answer != [4]byte{} {
			t.Errorf("%s: %X, %v; want no answer and the backend's error", op.Kind, op.Answer, op.Err)
		}
	}
	if _, err := mac.AuthorizeLoad(context.Background(), hsm, someLoad); !errors.Is(err, errBackend) {
		t.Errorf("AuthorizeLoad: %v", err)
	}
}

// TestChainErrorIsItsOps has a backend fail for one chain, with a MAC in it
// that would be right.
func TestChainErrorIsItsOps(t *testing.T) {
	const failing = 2
	r := new(recorder)
	hsm := newEngine(t, backendFunc(func(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
		err := r.Run(ctx, keys, chains)
		chains[failing].Err = errBackend
		return err
	}), keysWithLevels(2)...)
	ops := rightOps(t)
	if err := hsm.Do(context.Background(), ops); err != nil {
		t.Fatal(err)
	}
	for i, op := range ops {
		switch {
		case i == failing && (!errors.Is(op.Err, errBackend) || op.Answer != [4]byte{}):
			t.Errorf("%s: %X, %v; want no answer and the chain's error", op.Kind, op.Answer, op.Err)
		case i != failing && op.Err != nil:
			t.Errorf("%s: %v", op.Kind, op.Err)
		}
	}
}

// TestMACsAreClearedAfterTheBatch looks at the chains once Do is done with
// them.
func TestMACsAreClearedAfterTheBatch(t *testing.T) {
	var kept []mac.Chain
	r := new(recorder)
	hsm := newEngine(t, backendFunc(func(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
		kept = chains
		return r.Run(ctx, keys, chains)
	}), keysWithLevels(2)...)
	if err := hsm.Do(context.Background(), rightOps(t)); err != nil {
		t.Fatal(err)
	}
	if len(kept) == 0 {
		t.Fatal("no chains were run")
	}
	for _, c := range kept {
		if c != (mac.Chain{}) {
			t.Fatalf("a chain was left as %+v", c)
		}
	}
}
