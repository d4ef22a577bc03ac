package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"pbochsm/cmd/onecard/internal/config"
)

// A balancer hands each connection to the next server that takes it: a load
// balancer in its simplest form.
type balancer struct {
	net.Listener
	servers []string
	next    atomic.Int64
	open    sync.WaitGroup
}

func startBalancer(t *testing.T, servers ...string) *balancer {
	t.Helper()
	l, err := listenAnywhere()
	if err != nil {
		t.Fatal(err)
	}
	b := &balancer{Listener: l, servers: servers}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b.open.Go(func() { b.relay(c) })
		}
	}()
	t.Cleanup(func() { _ = l.Close() })
	return b
}

func (b *balancer) relay(client net.Conn) {
	defer client.Close()
	for range b.servers {
		server, err := net.Dial("tcp", b.servers[b.next.Add(1)%int64(len(b.servers))])
		if err != nil {
			continue
		}
		go func() { _, _ = io.Copy(server, client); _ = server.Close() }()
		_, _ = io.Copy(client, server)
		return
	}
}

// Three processes on one PostgreSQL, behind a balancer, over two daemons: the
// same order from many terminals at once gives one MAC2 and one debit, wherever
// each request lands, also while a process is killed and a daemon stops.
func TestThreeProcessesOnOneLedger(t *testing.T) {
	first, stopFirst := daemon(t)
	second, _ := daemon(t)
	cfg := servedConfig(t, first, second)
	cfg.Metrics = ""
	cfg.Database.SQLite, cfg.Database.Postgres = "", config.NewSecret(postgres(t))
	file := configFile(t, cfg)
	fixtures := furnish(t, file, cfg)
	var processes []*process
	var addrs []string
	for range 3 {
		p := launch(t, "serve", "--config", file)
		processes = append(processes, p)
		addrs = append(addrs, p.line("listening "))
	}
	b := startBalancer(t, addrs...)
	python(t, "drive.py", "http://"+b.Addr().String(), fixtures)

	const orders, terminals = 40, 6
	var loaded atomic.Int64
	for n := range orders {
		if n == orders/2 {
			processes[0].kill()
			stopFirst()
		}
		loaded.Add(sameOrder(t, b.Addr().String(), n, terminals))
	}
	if loaded.Load() != orders {
		t.Errorf("%d orders were loaded of %d", loaded.Load(), orders)
	}
	for _, p := range processes[1:] {
		p.stop()
	}
	sound(t, file)
	list := onecard(t, "", "ledger", "account", "list", "--config", file)
	// The client has paid in 30001 and spent 2500; each order is one fen.
	if want := fmt.Sprint(1000000 + 30001 - 2500 - orders); !strings.Contains(list, want) {
		t.Errorf("the merchant does not hold %s:\n%s", want, list)
	}
}

// sameOrder sends one load from several terminals at once, until each has an
// answer, and gives 1 if all of them got the same MAC2.
func sameOrder(t *testing.T, addr string, n, terminals int) int64 {
	t.Helper()
	maker := newTerminal(t, addr, 500+n)
	_, body, err := maker.request()
	if err != nil {
		t.Error(err)
		return 0
	}
	var mu sync.Mutex
	answers := map[string]int{}
	var all sync.WaitGroup
	for range terminals {
		all.Go(func() {
			for range 40 {
				answer, err := askOnce(addr, "/prepay/accttranssupply", body)
				if err != nil || strings.Contains(answer, `"3004"`) || strings.Contains(strings.ReplaceAll(answer, " ", ""), `"ErrorCode":"9`) {
					continue // a process was killed, or another terminal is at it: ask again
				}
				mu.Lock()
				answers[answer]++
				mu.Unlock()
				return
			}
		})
	}
	all.Wait()
	for answer, times := range answers {
		if len(answers) == 1 && times == terminals && strings.Contains(answer, `"0000"`) {
			return 1
		}
	}
	t.Errorf("order %d was answered %v", n, answers)
	return 0
}

// askOnce sends a request over a connection of its own.
func askOnce(addr, path, body string) (string, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	t := &terminal{host: addr, conn: conn}
	answer, err := t.post(path, body)
	if answer == "" && err == nil {
		err = errors.New("no answer")
	}
	return answer, err
}
