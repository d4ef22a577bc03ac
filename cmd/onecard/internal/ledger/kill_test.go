//go:build unix

package ledger_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"pbochsm/cmd/onecard/internal/ledger"
	"pbochsm/cmd/onecard/internal/recharge"
)

var kills = flag.Int("ledger.kills", 2, "how often TestKill kills the process")

// The child sells, and prints the number of each sale after its commit.
const childEnv = "ONECARD_LEDGER_CHILD"

func TestChild(t *testing.T) {
	dsn := os.Getenv(childEnv)
	if dsn == "" {
		t.Skip("this is the process that TestKill kills")
	}
	var account int64
	var from int
	if _, err := fmt.Sscan(os.Getenv(childEnv+"_ARGS"), &account, &from); err != nil {
		t.Fatal(err)
	}
	l := open(t, dsn)
	var mu sync.Mutex
	together(64, func(i int) {
		for n := from + i; ; n += 64 {
			if err := l.Commit(context.Background(), sale(t, l, account, n)); err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			fmt.Printf("sold %d\n", n)
			mu.Unlock()
		}
	})
}

// A process that is killed at any moment has lost nothing that it answered and
// doubled nothing, and the next one starts at once.
func TestKill(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		account := merchant(t, l, "M1", 1e14)
		all, from := 0, 0
		for range *kills {
			sold := runChild(t, dsn, account, from)
			start := time.Now()
			next, err := ledger.Open(context.Background(), ledger.Options{DSN: dsn})
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("the restart took %v", took)
			}
			for _, n := range sold {
				from = max(from, n+1)
				hasSale(t, next, n)
			}
			from += 64 // past what was under way
			all += len(sold)
			if err := next.Close(); err != nil {
				t.Error(err)
			}
		}
		r := sound(t, l)
		if r.Orders < int64(all) || all == 0 {
			t.Errorf("%d orders, %d were answered", r.Orders, all)
		}
		t.Logf("killed %d times: %d sales answered, %d stored", *kills, all, r.Orders)
	})
}

// hasSale checks that a sale is there, with its write.
func hasSale(t *testing.T, l *ledger.Ledger, n int) {
	t.Helper()
	k, err := l.Find(context.Background(), recharge.Question{Domain: "WEBM", TradeID: fmt.Sprintf("T%d", n), WithWrites: true})
	if err != nil || k.Order == nil || len(k.Writes) != 1 || k.Writes[0].Random[3] != byte(n) {
		t.Errorf("sale %d was answered and is lost: %v", n, err)
	}
}

// runChild runs the child, kills it at some moment, and gives what it had
// answered by then.
func runChild(t *testing.T, dsn string, account int64, from int) (sold []int) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestChild$")
	c.Env = append(os.Environ(), childEnv+"="+dsn, childEnv+"_ARGS="+fmt.Sprint(account, from))
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	after := 1 + rand.IntN(300)
	var timer *time.Timer
	for lines.Scan() {
		var n int
		if _, err := fmt.Sscanf(lines.Text(), "sold %d", &n); err == nil {
			sold = append(sold, n)
		}
		if len(sold) >= after && timer == nil {
			timer = time.AfterFunc(time.Duration(rand.IntN(3000))*time.Microsecond, func() { _ = c.Process.Kill() })
		}
	}
	_ = c.Wait()
	return sold
}
