package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/pkcs11"
	"pbochsm/pkcs11/tokentest"
	"pbochsm/protocol"
)

// An independentCase is an operation with what a program that has nothing of this
// one computed: the MAC or the command in Answer, or the claim among Fields.
type independentCase struct {
	Operation string            `json:"operation"`
	Fields    map[string]string `json:"fields"`
	Answer    string            `json:"answer"`
}

// An independent file is the work of a library that real cards take MACs from.
type independent struct {
	Source string            `json:"source"`
	Keys   map[string]string `json:"keys"` // the issuer's, by usage, of one level
	Factor string            `json:"factor"`
	Cases  []independentCase `json:"cases"`
}

// TestIndependentLibrary asks daemons over TCP, with their keys in software and in
// tokens, for what a library made that drives real cards: loads, unloads,
// purchases, withdrawals, compound purchases, updates of the overdraft limit, PINs,
// blocking and updates of files.
func TestIndependentLibrary(t *testing.T) {
	text, err := os.ReadFile("testdata/independent.json")
	if err != nil {
		t.Fatal(err)
	}
	var all independent
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	t.Run("software", func(t *testing.T) { all.ask(t, serveKeys(t, all.entries(t))) })
	if err := pkcs11.Built(); err != nil {
		t.Skip(err)
	}
	tokentest.Each(t, func(t *testing.T, f tokentest.Fixture) { all.ask(t, serveFrom(t, f, all.entries(t))) })
}

func (all *independent) entries(t *testing.T) (entries []keystore.Entry) {
	t.Helper()
	for name, digits := range all.Keys {
		e := keystore.Entry{Key: keystore.Key{
			Ref: keystore.Ref{Set: 1, Version: 1}, Cipher: keystore.Cipher3DES, Levels: 1, State: keystore.StateActive,
		}}
		if err := e.Usage.UnmarshalText([]byte(name)); err != nil {
			t.Fatal(err)
		}
		if !digitsInto(e.Secret[:], digits) {
			t.Fatalf("the key of usage %s is none", name)
		}
		entries = append(entries, e)
	}
	return entries
}

// serveKeys starts a daemon with keys in its file, and gives its address.
func serveKeys(t *testing.T, keys []keystore.Entry) string {
	t.Helper()
	dir := t.TempDir()
	store, err := keystore.Create(random, filepath.Join(dir, "keys"), []byte("test"), keystore.ModeTest)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range keys {
		importKey(t, store, e)
	}
	if err := errors.Join(store.Save(random), store.Close()); err != nil {
		t.Fatal(err)
	}
	settings := fmt.Sprintf("data: %[1]s/keys\npassphrase_file: %[1]s/passphrase\nlisten: 127.0.0.1:0\n", dir)
	for name, text := range map[string]string{"passphrase": "test\n", "settings.yaml": settings} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return startServing(t, filepath.Join(dir, "settings.yaml"))
}

// ask holds the daemon at addr against every case, and against the same with the
// last bit of what is claimed turned.
func (all *independent) ask(t *testing.T, addr string) {
	t.Helper()
	client := &protocol.Client{Addr: addr, Conns: 1}
	t.Cleanup(func() { _ = client.Close() })
	kinds := map[string]mac.Kind{}
	for _, k := range mac.Kinds() {
		kinds[k.String()] = k
	}
	for i, c := range all.Cases {
		name := fmt.Sprintf("case %d, %s", i+1, c.Operation)
		op := c.op(t, kinds[c.Operation], all.Factor)
		wrong := op.Clone()
		answer, err := do(t.Context(), client, op)
		if err != nil || !strings.EqualFold(answer, c.Answer) {
			t.Errorf("%s: %s, %v; the library has %s", name, answer, err, c.Answer)
		}
		if claim, claims := wrong.Kind.Claims(); claims {
			claim.Bytes(&wrong)[claim.Width()-1] ^= 1
			if answer, err := do(t.Context(), client, wrong); !errors.Is(err, mac.ErrVerify) || answer != "" {
				t.Errorf("%s with a bit turned: %s, %v", name, answer, err)
			}
		}
	}
}

// op is the operation of a case.
func (c *independentCase) op(t *testing.T, kind mac.Kind, factor string) mac.Op {
	t.Helper()
	op := mac.Op{Kind: kind, Key: mac.KeyID{Set: 1, Version: 1}, Levels: 1}
	if !digitsInto(op.Factors[0][:], factor) {
		t.Fatalf("%q is no factor", factor)
	}
	used := 0
	for _, f := range kind.Inputs() {
		digits, given := c.Fields[f.String()]
		if !given {
			continue
		}
		used++
		f.SetLen(&op, len(digits)/2)
		if !digitsInto(f.Bytes(&op), digits) {
			t.Fatalf("%s: %s is %q", c.Operation, f, digits)
		}
	}
	if used != len(c.Fields) {
		t.Fatalf("%s has fields that the operation has not: %v", c.Operation, c.Fields)
	}
	return op
}

// do asks one operation, and gives the digits of what it answers.
func do(ctx context.Context, hsm mac.HSM, op mac.Op) (answer string, err error) {
	ops := []mac.Op{op}
	if err := hsm.Do(ctx, ops); err != nil {
		return "", err
	}
	if err := ops[0].Err; err != nil {
		return hex.EncodeToString(ops[0].Command()), err
	}
	if _, makes := op.Kind.Answers(); makes {
		return hex.EncodeToString(ops[0].Answer[:]), nil
	}
	return hex.EncodeToString(ops[0].Command()), nil
}
