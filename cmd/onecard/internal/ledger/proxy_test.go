//go:build unix

package ledger_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"pbochsm/cmd/onecard/internal/ledger"
	"pbochsm/cmd/onecard/internal/recharge"
)

var cuts = flag.Int("ledger.cuts", 40, "how many sales TestCut makes over connections that break")

// A proxy passes bytes between ledger and server, and cuts a connection when
// so many have gone in one direction.
type proxy struct {
	dir, socket string
	toServer    atomic.Int64 // bytes until the cut, or negative: never
	toClient    atomic.Int64
}

func newProxy(t *testing.T, socket string) *proxy {
	t.Helper()
	p := &proxy{dir: t.TempDir(), socket: socket}
	p.heal()
	l, err := net.Listen("unix", filepath.Join(p.dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

func (p *proxy) heal() { p.toServer.Store(-1); p.toClient.Store(-1) }

func (p *proxy) serve(c net.Conn) {
	s, err := net.Dial("unix", p.socket)
	if err != nil {
		_ = c.Close()
		return
	}
	var once sync.Once
	end := func() { once.Do(func() { _ = c.Close(); _ = s.Close() }) }
	go pass(s, c, &p.toServer, end)
	pass(c, s, &p.toClient, end)
}

// pass copies until the count of bytes reaches zero.
func pass(to io.Writer, from io.Reader, left *atomic.Int64, end func()) {
	defer end()
	b := make([]byte, 4096)
	for {
		n, err := from.Read(b)
		if rest := left.Load(); rest >= 0 && rest < int64(n) {
			_, _ = to.Write(b[:rest])
			left.Store(-1) // the next connection works
			return
		} else if rest >= 0 {
			left.Add(-int64(n))
		}
		if _, werr := to.Write(b[:n]); err != nil || werr != nil {
			return
		}
	}
}

// Wherever a connection breaks, a sale is stored once or not at all, and what
// the ledger says about it is true.
func TestCut(t *testing.T) {
	dsn := newPostgres(t)
	server := postgres.Server(t)
	p := newProxy(t, server.Socket())
	direct := open(t, dsn)
	account := merchant(t, direct, "M1", 1e9)
	l := open(t, strings.Replace(dsn, "host="+escape(filepath.Dir(server.Socket())), "host="+escape(p.dir), 1))
	outcomes := map[string]int{}
	for n := range *cuts {
		c := sale(t, l, account, n)
		if n%2 == 0 {
			p.toServer.Store(int64(rand.IntN(2500)))
		} else {
			p.toClient.Store(int64(rand.IntN(1500)))
		}
		err := l.Commit(context.Background(), c)
		p.heal()
		k, findErr := direct.Find(context.Background(), recharge.Question{Domain: "WEBM", TradeID: fmt.Sprintf("T%d", n)})
		if findErr != nil {
			t.Fatal(findErr)
		}
		stored := k.Order != nil
		switch {
		case err == nil:
			outcomes["stored"]++
			if !stored {
				t.Errorf("sale %d was answered and is not there", n)
			}
		case errors.Is(err, recharge.ErrStore):
			outcomes["not stored"]++
			if stored {
				t.Errorf("sale %d was refused with %v and is there", n, err)
			}
		default:
			outcomes["unknown"]++
			t.Logf("sale %d: %v", n, err)
		}
		if !stored { // the caller asks again
			c = sale(t, l, account, n)
			if err := l.Commit(context.Background(), c); err != nil {
				t.Errorf("sale %d, again: %v", n, err)
			}
		}
	}
	r := sound(t, direct)
	if r.Orders != int64(*cuts) || r.Balances["MERCHANT M1"] != 1e9-100*int64(*cuts) {
		t.Errorf("%d orders, the merchant has %d fen", r.Orders, r.Balances["MERCHANT M1"])
	}
	if outcomes["not stored"] == 0 || outcomes["stored"] == 0 {
		t.Errorf("outcomes %v: the cuts hit nothing", outcomes)
	}
	t.Logf("%d sales over broken connections: %v", *cuts, outcomes)
}

func escape(path string) string { return strings.ReplaceAll(path, "/", "%2F") }

// Sessions that the server ends at any moment lose and double nothing.
func TestTerminate(t *testing.T) {
	dsn := newPostgres(t)
	direct, l := open(t, dsn), open(t, dsn)
	account := merchant(t, direct, "M1", 1e9)
	stop := make(chan struct{})
	var killer sync.WaitGroup
	killer.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				sqlExec(t, dsn, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE 'INSERT%' AND random() < 0.2")
			}
		}
	})
	sales := 200
	var answered atomic.Int64
	together(16, func(i int) {
		for n := i; n < sales; n += 16 {
			if soldAtLast(t, l, account, n) {
				answered.Add(1)
			}
		}
	})
	close(stop)
	killer.Wait()
	if r := sound(t, direct); r.Orders != int64(sales) || answered.Load() != int64(sales) {
		t.Errorf("%d orders, %d answered, want %d", r.Orders, answered.Load(), sales)
	}
}

// soldAtLast repeats a sale until it is answered or found.
func soldAtLast(t *testing.T, l *ledger.Ledger, account int64, n int) bool {
	for range 50 {
		err := l.Commit(context.Background(), sale(t, l, account, n))
		if err == nil {
			return true
		}
		if errors.Is(err, recharge.ErrConflict) { // stored by an attempt whose outcome was unknown
			k, err := l.Find(context.Background(), recharge.Question{Domain: "WEBM", TradeID: fmt.Sprintf("T%d", n)})
			return err == nil && k.Order != nil
		}
	}
	return false
}
