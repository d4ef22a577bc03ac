package recharge_test

import (
	"context"
	"flag"
	"fmt"
	"sync"
	"testing"

	"pbochsm/cmd/onecard/internal/recharge"
	"pbochsm/mac/cardtest"
)

var orderCount = flag.Int("recharge.orders", 8, "how many orders TestCrowd sends from 64 clients each")

const clients = 64

// together runs f so many times at once.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// processes gives services on one ledger: three on PostgreSQL, as behind a load
// balancer, and two on SQLite.
func processes(t *testing.T, dsn string, set recharge.Settings) []*world {
	t.Helper()
	all := []*world{newWorld(t, dsn, set), join(t, dsn, set)}
	if dsn[:6] != "sqlite" {
		all = append(all, join(t, dsn, set))
	}
	return all
}

// The same order from 64 clients at once, some with changed fields, is one
// credit and one MAC2.
func TestCrowd(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		set := settings()
		set.Budgets.DomainDay, set.Budgets.AlarmDay = 1e9, 1e9 // each order has eight wrong MAC1s
		all := processes(t, dsn, set)
		w := all[0]
		w.merchant("M1", recharge.Fen(*orderCount)*100)
		for n := range *orderCount {
			c := card(n)
			wr := w.write(c, 100)
			serial := fmt.Sprintf("P%d", n)
			answers, errs := make([]recharge.MAC2, clients), make([]error, clients)
			together(clients, func(i int) {
				mine := wr
				if i%8 == 7 {
					mine.Amount = recharge.Fen(1 + i)
				}
				answers[i], errs[i] = all[i%len(all)].prepaid("WEBM", serial, "M1", mine)
			})
			var mac2 recharge.MAC2
			for i := range clients {
				code := recharge.CodeOf(errs[i])
				switch {
				case i%8 == 7: // its MAC1 is wrong, and its content another
					if code == recharge.Success {
						t.Fatalf("order %d: a changed amount got a MAC2", n)
					}
				case code != recharge.Success:
					t.Fatalf("order %d: client %d got %v", n, i, errs[i])
				case mac2 == recharge.MAC2{}:
					mac2 = answers[i]
				case answers[i] != mac2:
					t.Fatalf("order %d: two MAC2s for one request", n)
				}
			}
			if _, err := c.Credit(wr.Date, wr.Time, mac2.MAC2); err != nil {
				t.Fatal(err)
			}
		}
		r := w.sound()
		if r.Writes != int64(*orderCount) || r.Balances["MERCHANT M1"] != 0 || r.Balances["SYSTEM 1"] != int64(*orderCount)*100 {
			t.Errorf("%d writes, the merchant has %d fen, the cards %d", r.Writes, r.Balances["MERCHANT M1"], r.Balances["SYSTEM 1"])
		}
	})
}

// Different orders from 64 clients on one account that covers only some of
// them take exactly what it has.
func TestFunds(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		all := processes(t, dsn, settings())
		w := all[0]
		const covered = 40
		w.merchant("M1", covered*100+99)
		writes := make([]recharge.Write, clients)
		for i := range clients {
			writes[i] = w.write(card(i), 100)
		}
		codes := make([]recharge.Code, clients)
		together(clients, func(i int) {
			_, err := all[i%len(all)].prepaid("WEBM", fmt.Sprintf("P%d", i), "M1", writes[i])
			codes[i] = recharge.CodeOf(err)
		})
		count := map[recharge.Code]int{}
		for _, c := range codes {
			count[c]++
		}
		if count[recharge.Success] != covered || count[recharge.MerchantFunds] != clients-covered {
			t.Errorf("codes %v, want %d loads", count, covered)
		}
		if got := w.balance(recharge.MerchantAccount, "M1"); got != 99 {
			t.Errorf("the merchant has %d fen, want 99", got)
		}
	})
}

// One recharge card on 64 terminals, each with a card of its own, is spent
// once.
func TestVoucherCrowd(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		all := processes(t, dsn, settings())
		w := all[0]
		v := w.vouchers(2, 500)
		writes := make([]recharge.Write, clients)
		for i := range clients {
			writes[i] = w.write(card(i), 500)
		}
		codes := make([]recharge.Code, clients)
		together(clients, func(i int) {
			_, err := all[i%len(all)].voucher(fmt.Sprintf("terminal %d", i), v[0].Password, writes[i])
			codes[i] = recharge.CodeOf(err)
		})
		spent := 0
		for _, c := range codes {
			switch c {
			case recharge.Success:
				spent++
			case recharge.RechargeRefused:
			default:
				t.Errorf("a terminal got %04d", c)
			}
		}
		if spent != 1 || w.balance(recharge.SystemAccount, "5") != 500 {
			t.Errorf("spent %d times; %d fen are left in recharge cards, want 500", spent, w.balance(recharge.SystemAccount, "5"))
		}
	})
}

// Cancelling and loading one order at once ends in one of the two.
func TestCancelRace(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		all := processes(t, dsn, settings())
		w := all[0]
		for n := range 20 {
			c, serial := card(n), fmt.Sprintf("A%d", n)
			w.must(w.order("APPM", serial, c, 100))
			wr := w.write(c, 100)
			var loaded, cancelled error
			together(2, func(i int) {
				if i == 0 {
					_, loaded = all[0].mac1authal("APPM", serial, wr)
				} else {
					cancelled = all[1].service.Cancel(context.Background(), recharge.CancelOrder{Caller: w.caller("APPM"), TradeID: serial})
				}
			})
			if (loaded == nil) == (cancelled == nil) {
				t.Errorf("load: %v, cancel: %v", loaded, cancelled)
			}
			if got := w.state("APPM", serial); (got == recharge.Issued) != (loaded == nil) {
				t.Errorf("load: %v, but the order is %s", loaded, got)
			}
		}
		w.sound()
	})
}

// A card's counter never pays for two orders, in whatever domain.
func TestCounterCrowd(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		all := processes(t, dsn, settings())
		w := all[0]
		w.merchant("M1", 100000)
		c := card(1)
		writes := make([]recharge.Write, 12)
		for i := range writes {
			writes[i] = w.write(c, 100) // each INITIALIZE is torn by the next
		}
		macs := make([]recharge.MAC2, len(writes))
		together(len(writes), func(i int) {
			if i%2 == 0 {
				macs[i], _ = all[i%len(all)].cash(writes[i])
			} else {
				macs[i], _ = all[i%len(all)].prepaid("WEBM", fmt.Sprintf("P%d", i), "M1", writes[i])
			}
		})
		last := writes[len(writes)-1]
		for _, m := range macs {
			if m != (recharge.MAC2{}) {
				_, _ = c.Credit(last.Date, last.Time, m.MAC2)
			}
		}
		r := w.sound()
		if r.Orders != 2 { // one of them the top-up
			t.Errorf("%d orders, want one load", r.Orders-1)
		}
		if onCard := int64(c.Balance(cardtest.EP)); onCard > r.Balances["SYSTEM 1"] {
			t.Errorf("the card has %d fen and the ledger says %d", onCard, r.Balances["SYSTEM 1"])
		}
	})
}
