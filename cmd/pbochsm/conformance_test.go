package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/lanes"
	"pbochsm/mac/reference"
	"pbochsm/pkcs11"
	"pbochsm/pkcs11/tokentest"
	"pbochsm/protocol"
	"pbochsm/vectors"
)

var tokenOps = flag.Int("token.ops", 500, "random operations that each token and the software answer over TCP")

// TestTokenOverTCP holds daemons whose keys are in tokens against the vectors,
// and against the software on random operations: answers and refusals alike.
func TestTokenOverTCP(t *testing.T) {
	if err := pkcs11.Built(); err != nil {
		t.Skip(err)
	}
	tokentest.Each(t, func(t *testing.T, f tokentest.Fixture) {
		client := &protocol.Client{Addr: serveFrom(t, f, vectors.Keys()), Conns: 2}
		t.Cleanup(func() { _ = client.Close() })
		report, err := vectors.Run(t.Context(), newCapable(t, client), vectors.Options{})
		if err != nil {
			t.Errorf("%v: %v", err, report.Failures())
		}
		t.Logf("%d vectors", report.Cases())
		compare(t, newCapable(t, client))
	})
}

// A capable module asks the software what the token says it cannot do: retail MACs
// under a key that is a card's own, and to write keys. They must be refused, never
// answered wrongly; all else must be answered.
type capable struct {
	t        *testing.T
	token    mac.HSM
	software *mac.Engine
}

func newCapable(t *testing.T, token mac.HSM) *capable {
	t.Helper()
	live, err := testKeys()
	if err != nil {
		t.Fatal(err)
	}
	return &capable{t, token, mac.NewEngine(live, lanes.New())}
}

func (h *capable) Do(ctx context.Context, ops []mac.Op) error {
	asked := append([]mac.Op(nil), ops...)
	if err := h.token.Do(ctx, ops); err != nil {
		return err
	}
	for i := range ops {
		if !errors.Is(ops[i].Err, mac.ErrUnsupported) {
			continue
		}
		if ops[i].Levels > 0 && ops[i].Kind != mac.KindWriteKey {
			h.t.Errorf("the token refuses %s with key %s", ops[i].Kind, ops[i].Key)
		}
		if err := h.software.Do(ctx, asked[i:i+1]); err != nil {
			return err
		}
		ops[i] = asked[i]
	}
	return nil
}

// serveFrom puts keys into the token, and starts a daemon with them. It gives the
// daemon's address.
func serveFrom(t *testing.T, f tokentest.Fixture, keys []keystore.Entry) string {
	t.Helper()
	dir := t.TempDir()
	store, err := keystore.Create(random, filepath.Join(dir, "keys"), []byte("test"), keystore.ModeTest)
	if err != nil {
		t.Fatal(err)
	}
	token, err := pkcs11.Open(t.Context(), f.Config(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range vectors.Profiles() {
		if err := store.SetProfile(p); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range keys {
		if e.Cipher != keystore.Cipher3DES { // a mixed estate: these stay in the file
			importKey(t, store, e)
			continue
		}
		choice := tokenChoice{token: tokenConfig{Name: "main"}}
		spec := choice.specFor(e.Key)
		if e.KCV, err = token.Import(spec, &e.Secret); err != nil {
			t.Fatalf("%s: %v", e.Ref, err)
		}
		e.Home = keystore.Home{Token: "main", Label: spec.Label, ID: spec.ID}
		enter(t, store, e.Key, func(k keystore.Key) error {
			_, err := store.Adopt(k)
			return err
		})
	}
	if err := errors.Join(token.Close(), store.Save(random), store.Close()); err != nil {
		t.Fatal(err)
	}
	settings := fmt.Sprintf("data: %[1]s/keys\npassphrase_file: %[1]s/passphrase\nlisten: 127.0.0.1:0\ntokens:\n"+
		"  - {name: main, module: %[2]q, init_args: %[3]q, label: %[4]q, pin_source: %[1]s/pin, profile: %[5]s, deadline: 20s}\n",
		dir, f.Module, f.Reserved, f.Label, f.Name)
	for name, text := range map[string]string{"passphrase": "test\n", "pin": tokentest.PIN + "\n", "settings.yaml": settings} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return startServing(t, filepath.Join(dir, "settings.yaml"))
}

func importKey(t *testing.T, store *keystore.Store, e keystore.Entry) {
	t.Helper()
	enter(t, store, e.Key, func(k keystore.Key) error {
		_, _, err := store.Import(k, []keystore.Secret{e.Secret})
		return err
	})
}

// enter puts a key into the store by add, which takes no retired one.
func enter(t *testing.T, store *keystore.Store, k keystore.Key, add func(keystore.Key) error) {
	t.Helper()
	retired := k.State == keystore.StateRetired
	if retired {
		k.State = keystore.StateActive
	}
	err := add(k)
	if err == nil && retired {
		err = store.Retire(k.Ref)
	}
	if err != nil {
		t.Fatalf("%s: %v", k.Ref, err)
	}
}

func startServing(t *testing.T, settings string) string {
	t.Helper()
	cmd := exec.Command("pbochsm", "serve", "--config", settings, "--log-level", "warn")
	cmd.Stderr = t.Output()
	return listens(t, cmd, terminate)
}

// compare puts random operations to hsm and to the software.
func compare(t *testing.T, hsm mac.HSM) {
	live, err := testKeys()
	if err != nil {
		t.Fatal(err)
	}
	software := mac.NewEngine(live, lanes.New())
	draw := drawer{rand.New(rand.NewPCG(7, 11)), vectors.Keys(), live}
	answered := 0
	for done := 0; done < *tokenOps && !t.Failed(); {
		ops := make([]mac.Op, min(*tokenOps-done, 1+draw.IntN(200)))
		for i := range ops {
			ops[i] = draw.op(t)
		}
		want := append([]mac.Op(nil), ops...)
		if err := errors.Join(hsm.Do(t.Context(), ops), software.Do(t.Context(), want)); err != nil {
			t.Fatal(err)
		}
		for i := range want {
			same := (ops[i].Err == nil) == (want[i].Err == nil) && errors.Is(ops[i].Err, mac.ErrVerify) == errors.Is(want[i].Err, mac.ErrVerify)
			if !same || ops[i].Answer != want[i].Answer {
				t.Errorf("%s with key %s: %X, %v; the software says %X, %v", ops[i].Kind, ops[i].Key, ops[i].Answer, ops[i].Err, want[i].Answer, want[i].Err)
			}
			if want[i].Err == nil {
				answered++
			}
		}
		done += len(ops)
	}
	if answered == 0 || answered == *tokenOps {
		t.Errorf("%d of %d operations were answered: there should be right and wrong claims", answered, *tokenOps)
	}
}

// A drawer draws operations that fit the vectors' keys.
type drawer struct {
	*rand.Rand
	keys []keystore.Entry
	live *keystore.Live
}

// op draws an operation of any kind. Three in four claim what is right.
func (d drawer) op(t *testing.T) mac.Op {
	kinds := mac.Kinds()
	for {
		k := &d.keys[d.IntN(len(d.keys))].Key
		op := mac.Op{Kind: kinds[d.IntN(len(kinds))], Levels: k.Levels, Key: mac.KeyID{Set: k.Set, Version: k.Version, Algorithm: k.Algorithm}}
		if op.Kind.Usage() != k.Usage {
			continue
		}
		for i := range op.Levels {
			d.fill(op.Factors[i][:])
		}
		for _, f := range op.Kind.Inputs() {
			d.fill(f.Bytes(&op))
		}
		copy(mac.Date.Bytes(&op), []byte{0x20, byte(d.IntN(0x10)), 0x02, 0x17})
		copy(mac.Time.Bytes(&op), []byte{0x13, 0x57, byte(d.IntN(10))})
		if types := op.Kind.Types(); len(types) > 0 {
			mac.Type.Bytes(&op)[0] = byte(types[d.IntN(len(types))])
		}
		if claim, claims := op.Kind.Claims(); claims && d.IntN(4) > 0 {
			copy(claim.Bytes(&op), d.right(t, op))
		}
		return op
	}
}

func (d drawer) fill(b []byte) {
	for i := range b {
		b[i] = byte(d.Uint32())
	}
}

// right computes the MAC that op should claim.
func (d drawer) right(t *testing.T, op mac.Op) []byte {
	var last [8]byte
	engine := mac.NewEngine(d.live, backendFunc(func(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
		err := reference.Backend{}.Run(ctx, keys, chains)
		last = chains[0].MAC[0]
		return err
	}))
	if err := engine.Do(t.Context(), []mac.Op{op}); err != nil {
		t.Fatal(err)
	}
	return last[:4]
}

// A backendFunc is a backend by its Run.
type backendFunc func(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error

func (f backendFunc) Run(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
	return f(ctx, keys, chains)
}
