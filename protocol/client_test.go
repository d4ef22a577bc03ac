package protocol_test

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/protocol"
)

func newClient(t testing.TB, addr string) *protocol.Client {
	t.Helper()
	c := &protocol.Client{Addr: addr}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestClientAsksEveryKind(t *testing.T) {
	client := newClient(t, start(t, newServer(t)))
	ops := sampleOps(t)
	local := sampleOps(t)
	if err := mac.NewEngine(newLive(t), new(spy)).Do(t.Context(), local); err != nil {
		t.Fatal(err)
	}
	if err := client.Do(t.Context(), ops); err != nil {
		t.Fatal(err)
	}
	for i := range ops {
		if ops[i].Answer != local[i].Answer || ops[i].Err != nil || local[i].Err != nil {
			t.Errorf("%v over the wire: %+v, in process: %+v", ops[i].Kind, ops[i], local[i])
		}
	}
}

// What a client encodes is what the server's HSM gets.
func TestOpsArriveAsTheyWere(t *testing.T) {
	var mu sync.Mutex
	var got []mac.Op
	s := newServer(t)
	s.HSM = hsmFunc(func(op *mac.Op) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, *op)
	})
	client := newClient(t, start(t, s))
	want := sampleOps(t)
	for i := range want { // with an authentication code, which one byte counts
		if want[i].Kind == mac.KindPurchase {
			mac.AuthCode.SetLen(&want[i], 9)
			copy(mac.AuthCode.Bytes(&want[i]), "\x00\x01\xfe\xff12345")
		}
	}
	if err := client.Do(t.Context(), append([]mac.Op(nil), want...)); err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if body(got[i]) != body(want[i]) {
			t.Errorf("%v: got %s, want %s", want[i].Kind, body(got[i]), body(want[i]))
		}
	}
}

func TestClientSplitsABigBatch(t *testing.T) {
	s := newServer(t)
	s.HSM = hsmFunc(func(op *mac.Op) { copy(op.Answer[:], mac.Random.Bytes(op)) })
	client := newClient(t, start(t, s))
	ops := make([]mac.Op, 10000)
	for i := range ops {
		ops[i] = mac.Load{Random: [4]byte{0, 1, byte(i >> 8), byte(i)}}.Op()
		if i%1000 == 7 {
			ops[i].Kind = 99
		}
	}
	if err := client.Do(t.Context(), ops); err != nil {
		t.Fatal(err)
	}
	for i := range ops {
		want := [4]byte{0, 1, byte(i >> 8), byte(i)}
		if i%1000 == 7 {
			if !errors.Is(ops[i].Err, mac.ErrUnsupported) {
				t.Fatalf("op %d of no kind: %v", i, ops[i].Err)
			}
			continue
		}
		if ops[i].Err != nil || ops[i].Answer != want {
			t.Fatalf("op %d: %X, %v", i, ops[i].Answer, ops[i].Err)
		}
	}
}

func TestClientRefusesWhatItCannotSpell(t *testing.T) {
	client := newClient(t, start(t, newServer(t)))
	ops := []mac.Op{{Kind: 99}, mac.Load{}.Op(), sampleOps(t)[0]}
	ops[1].Levels = 5
	if err := client.Do(t.Context(), ops); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(ops[0].Err, mac.ErrUnsupported) || !errors.Is(ops[1].Err, mac.ErrInvalid) || ops[2].Err != nil {
		t.Errorf("errors %v, %v, %v", ops[0].Err, ops[1].Err, ops[2].Err)
	}
	if err := client.Do(t.Context(), nil); err != nil {
		t.Errorf("no ops: %v", err)
	}
}

func TestCommonCommandsByClient(t *testing.T) {
	for _, header := range []int{0, 1, 4, 12} {
		s := newServer(t)
		s.Format = protocol.Format{Header: header, Limit: 40000}
		client := newClient(t, start(t, s))
		client.Format = s.Format
		ctx := t.Context()

		data := bytes.Repeat([]byte("\x00\x19%"), 10000)
		if got, err := client.Echo(ctx, data); err != nil || !bytes.Equal(got, data) {
			t.Errorf("Echo: %d bytes, %v", len(got), err)
		}
		if _, err := client.Echo(ctx, make([]byte, 40000)); !errors.Is(err, protocol.ErrLength) {
			t.Errorf("Echo of too much: %v", err)
		}
		if got, err := client.Random(ctx, 16); err != nil || len(got) != 16 || bytes.Equal(got, make([]byte, 16)) {
			t.Errorf("Random: %X, %v", got, err)
		}
		if _, err := client.Random(ctx, 1000); !errors.Is(err, mac.ErrInvalid) {
			t.Errorf("Random of too much: %v", err)
		}
		if got, err := client.Diagnostics(ctx); err != nil || got.Check != (keystore.KCV{0x26, 0x86, 0x04}) || got.Firmware != "0007-E000" {
			t.Errorf("Diagnostics: %+v, %v", got, err)
		}
		if got, err := client.Status(ctx); err != nil || got != (protocol.Condition{Buffer: 32 << 10, Sockets: 99, Firmware: "0007-E000"}) {
			t.Errorf("Status: %+v, %v", got, err)
		}
		if got, err := client.KCV(ctx, 1); err != nil || got != testKeys()[1].KCV {
			t.Errorf("KCV: %v, %v", got, err)
		}
		for index, want := range map[uint16]error{5: keystore.ErrNotFound, 6: keystore.ErrRetired, 7: keystore.ErrIndex, 0x1000: keystore.ErrIndex} {
			if _, err := client.KCV(ctx, index); !errors.Is(err, want) {
				t.Errorf("KCV(%d): %v, want %v", index, err, want)
			}
		}
	}
}

func TestSealedServer(t *testing.T) {
	s := newServer(t)
	s.Keys = nil
	client := newClient(t, start(t, s))
	if _, err := client.Diagnostics(t.Context()); !errors.Is(err, keystore.ErrSealed) {
		t.Errorf("Diagnostics: %v", err)
	}
	if _, err := client.KCV(t.Context(), 1); !errors.Is(err, keystore.ErrSealed) {
		t.Errorf("KCV: %v", err)
	}
}

func TestClientConfiguration(t *testing.T) {
	for name, c := range map[string]*protocol.Client{
		"address": {Addr: "localhost"},
		"header":  {Addr: "localhost:1500", Format: protocol.Format{Header: -1, Limit: 100}},
		"conns":   {Addr: "localhost:1500", Conns: -1},
	} {
		ops := []mac.Op{mac.Load{}.Op()}
		if err := c.Do(t.Context(), ops); err == nil || ops[0].Err == nil {
			t.Errorf("%s: Do = %v, op %v", name, err, ops[0].Err)
		}
	}
}
