package mac_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/lanes"
	"pbochsm/mac/reference"
)

// A fakeToken computes with the keys of another snapshot, which has the bytes.
type fakeToken struct {
	inside *keystore.Snapshot
	ran    int
	err    error
	gate   chan struct{} // closed: it answers; nil: at once
}

func (f *fakeToken) Run(ctx context.Context, _ *keystore.Snapshot, chains []mac.Chain) error {
	if f.gate != nil {
		<-f.gate
	}
	if f.err != nil {
		return f.err
	}
	f.ran += len(chains)
	return reference.Backend{}.Run(ctx, f.inside, chains)
}

// homes gives a snapshot with load keys of the sets 0 to 4, of which 1 and 3
// live in token a, 2 in token b and 4 in one that nobody has configured, and
// one with the same keys in the file.
func homes(t *testing.T) (keys, inside *keystore.Snapshot) {
	t.Helper()
	var out, in []keystore.Entry
	for set, token := range []string{"", "a", "b", "a", "missing"} {
		e := testKey(keystore.UsageLoad, 2)
		e.Set, e.Secret[0] = byte(set), byte(set)
		in = append(in, e)
		if token != "" {
			e.KCV, e.Secret = keystore.KCV{1, 2, byte(set)}, keystore.Secret{}
			e.Home = keystore.Home{Token: token, Label: fmt.Sprint(set), ID: "1"}
		}
		out = append(out, e)
	}
	for _, p := range []struct {
		to   **keystore.Snapshot
		from []keystore.Entry
	}{{&keys, out}, {&inside, in}} {
		s, err := keystore.NewSnapshot(keystore.ModeTest, 1, keystore.KCV{}, p.from)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Release)
		*p.to = s
	}
	return keys, inside
}

// chainsOf makes a chain of each key, with data that tell them apart.
func chainsOf(keys ...keystore.Handle) []mac.Chain {
	chains := make([]mac.Chain, len(keys))
	for i, key := range keys {
		chains[i] = mac.Chain{Key: key, Levels: 2, Final: mac.FinalSession, Data: [8]byte{byte(i), byte(i >> 8)}}
		chains[i].Message[0] = mac.Message{Blocks: 2}
	}
	return chains
}

func TestHomesRoute(t *testing.T) {
	keys, inside := homes(t)
	a, b := &fakeToken{inside: inside}, &fakeToken{inside: inside}
	h := &mac.Homes{File: lanes.New(), Tokens: map[string]mac.Backend{"a": a, "b": b}}
	for name, order := range map[string][]keystore.Handle{
		"file alone": {0, 0}, "token alone": {1, 3, 1}, "mixed": {2, 0, 1, 3, 0, 2, 0}, "no chain": {},
	} {
		got, want := chainsOf(order...), chainsOf(order...)
		if err := h.Run(t.Context(), keys, got); err != nil {
			t.Fatal(err)
		}
		if err := (reference.Backend{}).Run(t.Context(), inside, want); err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: chain %d is %+v, want %+v", name, i, got[i], want[i])
			}
		}
	}
	if a.ran != 3+2 || b.ran != 2 {
		t.Errorf("a ran %d, b ran %d", a.ran, b.ran)
	}
}

// A token that fails, or that nobody has configured, fails its own chains only.
func TestHomesFailApart(t *testing.T) {
	keys, inside := homes(t)
	gone := fmt.Errorf("%w: C_DeriveKey", mac.ErrUnavailable)
	h := &mac.Homes{File: lanes.New(), Tokens: map[string]mac.Backend{
		"a": &fakeToken{err: gone}, "b": &fakeToken{inside: inside},
	}}
	for _, order := range [][]keystore.Handle{{0, 1, 2, 3, 4}, {1}, {4}} {
		chains := chainsOf(order...)
		if err := h.Run(t.Context(), keys, chains); err != nil {
			t.Fatal(err)
		}
		for i, c := range chains {
			dead := c.Key == 1 || c.Key == 3 || c.Key == 4
			if errors.Is(c.Err, mac.ErrUnavailable) != dead {
				t.Errorf("key %d: %v", c.Key, c.Err)
			}
			if empty := c.MAC[0] == [8]byte{}; empty != dead {
				t.Errorf("chain %d of key %d has MAC %X", i, c.Key, c.MAC[0])
			}
			if c.Key == 4 && !strings.Contains(c.Err.Error(), `"missing"`) {
				t.Errorf("the error does not name the token: %v", c.Err)
			}
		}
	}
}

// Requests to keys of the file are answered while a token hangs.
func TestHomesDoNotWait(t *testing.T) {
	keys, inside := homes(t)
	slow := &fakeToken{inside: inside, gate: make(chan struct{})}
	h := &mac.Homes{File: lanes.New(), Tokens: map[string]mac.Backend{"a": slow, "b": &fakeToken{inside: inside}}}
	hanging := make(chan []mac.Chain)
	go func() {
		chains := chainsOf(1)
		_ = h.Run(context.Background(), keys, chains)
		hanging <- chains
	}()
	for _, key := range []keystore.Handle{0, 2} {
		chains := chainsOf(key)
		if err := h.Run(t.Context(), keys, chains); err != nil || chains[0].Err != nil {
			t.Errorf("%v, %v", err, chains[0].Err)
		}
	}
	select {
	case <-hanging:
		t.Error("the slow token did not hang")
	default:
	}
	close(slow.gate)
	if c := (<-hanging)[0]; c.Err != nil || c.MAC[0] == [8]byte{} {
		t.Errorf("%v", c.Err)
	}
}

// Backends that compute with bytes refuse a key that has none here.
func TestKeyElsewhere(t *testing.T) {
	keys, inside := homes(t)
	for name, b := range map[string]mac.Backend{"lanes": lanes.New(), "reference": reference.Backend{}} {
		got, want := chainsOf(0, 1, 0), chainsOf(0, 1, 0)
		if err := b.Run(t.Context(), keys, got); err != nil {
			t.Fatal(err)
		}
		if err := (reference.Backend{}).Run(t.Context(), inside, want); err != nil {
			t.Fatal(err)
		}
		if !errors.Is(got[1].Err, mac.ErrElsewhere) || got[0] != want[0] || got[2] != want[2] {
			t.Errorf("%s: %v", name, got)
		}
	}
}
