package modules_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"pbochsm/cmd/onecard/internal/modules"
	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/protocol"
	"pbochsm/vectors"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A daemon can be stopped, and started again at the same address.
type daemon struct {
	addr string
	stop func()
}

// start serves the keys of the vectors, or none if it is sealed, and tells of
// tokens.
func start(t *testing.T, addr string, sealed bool, tokens ...protocol.TokenState) *daemon {
	t.Helper()
	s, err := vectors.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	live := keystore.NewLive(s)
	server := &protocol.Server{HSM: mac.NewEngine(live, reference.Backend{}), Keys: live, Rand: rand.Reader, Now: time.Now}
	server.Tokens = func() []protocol.TokenState { return tokens }
	if sealed {
		server.HSM, server.Keys = sealedHSM{}, nil
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(context.Background(), l) }()
	var once sync.Once
	d := &daemon{addr: l.Addr().String(), stop: func() {
		once.Do(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			if err := errors.Join(server.Shutdown(ctx), <-served); err != nil {
				t.Error(err)
			}
		})
	}}
	t.Cleanup(d.stop)
	return d
}

type sealedHSM struct{}

func (sealedHSM) Do(_ context.Context, ops []mac.Op) error {
	for i := range ops {
		ops[i].Err = keystore.ErrSealed
	}
	return nil
}

func pool(t *testing.T, addrs ...string) *modules.Pool {
	t.Helper()
	var clients []*protocol.Client
	for _, a := range addrs {
		clients = append(clients, &protocol.Client{Addr: a, Format: protocol.DefaultFormat(), Timeout: 5 * time.Second})
	}
	p, err := modules.New(clients, modules.Options{Every: 20 * time.Millisecond, Patience: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// published is the published load: whoever answers it has the test keys.
func published() mac.Op {
	return mac.Load{
		Card: mac.Card{Key: mac.KeyID{Set: 1, Version: 1}}, Random: [4]byte{0x11, 0x22, 0x33, 0x44}, Amount: 0x1000,
		Type: mac.TypeLoadED, Terminal: mac.TerminalID{0, 0x11, 0x22, 0x33, 0x44, 0x55}, Date: mac.BCDDate{0x20, 0x11, 0x12, 0x21},
		Time: mac.BCDTime{0x21, 0x48, 0x22}, MAC1: mac.MAC{0x29, 0x88, 0xAE, 0x5A},
	}.Op()
}

// answered fails unless both a good and a bad MAC1 get the answer they merit.
func answered(t *testing.T, p *modules.Pool) {
	t.Helper()
	answeredBut(t, p, 1)
}

// answeredBut asks for three loads, of which one is not genuine.
func answeredBut(t *testing.T, p *modules.Pool, bad int) {
	t.Helper()
	ops := []mac.Op{published(), published(), published()}
	mac.MAC1.Bytes(&ops[bad])[0] ^= 1
	if err := p.Do(context.Background(), ops); err != nil {
		t.Error(err)
		return
	}
	for i, op := range ops {
		wrong := i == bad
		if errors.Is(op.Err, mac.ErrMAC1) != wrong || (op.Answer == [4]byte{0x3A, 0x84, 0x5B, 0xF0}) == wrong {
			t.Errorf("operation %d: %X, %v", i, op.Answer, op.Err)
		}
	}
}

func TestFailOver(t *testing.T) {
	a, b := start(t, "127.0.0.1:0", false), start(t, "127.0.0.1:0", false)
	p := pool(t, a.addr, b.addr)
	for range 4 {
		answered(t, p)
	}
	a.stop()
	for range 4 {
		answered(t, p)
	}
	if up := p.Up(); up[a.addr] || !up[b.addr] {
		t.Errorf("after one daemon has stopped: %v", up)
	}
	b.stop()
	ops := []mac.Op{published()}
	if err := p.Do(context.Background(), ops); !errors.Is(err, mac.ErrUnavailable) || ops[0].Answer != [4]byte{} {
		t.Errorf("without a daemon: %v, %X", err, ops[0].Answer)
	}
	if err := p.Check(context.Background()); !errors.Is(err, modules.ErrNone) || p.Ready() == nil {
		t.Errorf("health without a daemon: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	watched := make(chan struct{})
	go func() { p.Watch(ctx); close(watched) }()
	start(t, a.addr, false)
	for p.Ready() != nil {
		time.Sleep(10 * time.Millisecond)
	}
	answered(t, p)
	cancel()
	<-watched
}

// Callers are asked for together, and each gets the answers to its own
// operations, also where a daemon goes away under them.
func TestCallersAreAskedForTogether(t *testing.T) {
	a, b := start(t, "127.0.0.1:0", false), start(t, "127.0.0.1:0", false)
	p := pool(t, a.addr, b.addr)
	var callers sync.WaitGroup
	for n := range 64 {
		callers.Go(func() {
			for i := range 5 {
				answeredBut(t, p, (n+i)%3)
			}
			if n == 0 {
				a.stop()
			}
		})
	}
	callers.Wait()
}

// The health check brings how the tokens are; a daemon that is gone has none.
func TestTokens(t *testing.T) {
	main := protocol.TokenState{Name: "main", Serving: true, TAC: "host"}
	down := protocol.TokenState{Name: "main", TAC: "host"}
	spare := protocol.TokenState{Name: "spare", Serving: true, TAC: "half-xor"}
	a := start(t, "127.0.0.1:0", false, spare, main)
	b, c := start(t, "127.0.0.1:0", false, main), start(t, "127.0.0.1:0", false, down)
	p := pool(t, a.addr, b.addr, c.addr)
	for _, want := range [][]protocol.TokenState{{down, main, spare}, {main, spare}} {
		if err := p.Check(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := p.Tokens(); !slices.Equal(got, want) {
			t.Errorf("tokens %v, want %v", got, want)
		}
		c.stop()
	}
}

// A sealed daemon answers, but not what is needed.
func TestSealedDaemonIsLeftOut(t *testing.T) {
	sealed, good := start(t, "127.0.0.1:0", true), start(t, "127.0.0.1:0", false)
	p := pool(t, sealed.addr, good.addr)
	for range 4 {
		answered(t, p)
	}
	if err := p.Check(context.Background()); err != nil || p.Up()[sealed.addr] {
		t.Errorf("health: %v, %v", err, p.Up())
	}
	p = pool(t, sealed.addr)
	ops := []mac.Op{published()}
	if err := p.Do(context.Background(), ops); !errors.Is(err, keystore.ErrSealed) {
		t.Errorf("sealed alone: %v", err)
	}
}

// A caller who goes away says nothing about the daemon.
func TestCancelLeavesNobodyOut(t *testing.T) {
	d := start(t, "127.0.0.1:0", false)
	p := pool(t, d.addr)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := p.Do(ctx, []mac.Op{published()}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if !p.Up()[d.addr] {
		t.Error("the daemon was left out")
	}
}

func TestNoAddress(t *testing.T) {
	if _, err := modules.New(nil, modules.Options{}); err == nil {
		t.Error("a pool without a daemon")
	}
}
