package recharge_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pbochsm/cmd/onecard/internal/recharge"
	"pbochsm/mac"
	"pbochsm/mac/cardtest"
)

var adversaries = flag.Int("recharge.adversaries", 64, "how many hostile cards TestFreeMoney plays")

// An adversary is a card whose holder tries everything: INITIALIZE answers
// kept for later, MAC2s tried out of turn, tears, lies, and each source of
// money in turn.
type adversary struct {
	*world
	*holder
	n       int
	pick    *rand.Rand
	writes  []recharge.Write // what the card has ever answered
	made    []made           // every MAC2 it was given
	tacs    []mac.TransactionMAC
	serials []string
	booked  map[string]recharge.Fen // by order: what somebody paid
	loaded  recharge.Fen            // what the card has taken
	debited recharge.Fen            // what it has given back
	spent   recharge.Fen            // what it has bought
	proofs  []recharge.ConfirmMAC3
}

type made struct {
	write recharge.Write
	mac2  recharge.MAC2
}

func (a *adversary) amount() recharge.Fen { return recharge.Fen(1+a.pick.IntN(3)) * 100 }

// some gives an old or a recent write, mostly the last.
func (a *adversary) some() (recharge.Write, bool) {
	if len(a.writes) == 0 {
		return recharge.Write{}, false
	}
	i := len(a.writes) - 1
	if a.pick.IntN(3) == 0 {
		i = a.pick.IntN(len(a.writes))
	}
	return a.writes[i], true
}

func (a *adversary) serial() string {
	if len(a.serials) == 0 || a.pick.IntN(3) == 0 {
		a.serials = append(a.serials, fmt.Sprintf("S%d-%d", a.n, len(a.serials)))
	}
	return a.serials[a.pick.IntN(len(a.serials))]
}

// got notes a MAC2 under the order that paid for it.
func (a *adversary) got(order string, wr recharge.Write, m recharge.MAC2, err error) {
	if err != nil {
		return
	}
	a.made = append(a.made, made{wr, m})
	if wr.TradeType == recharge.TradeLoad {
		a.booked[order] = wr.Amount
	}
}

func (a *adversary) initLoad() {
	amount := a.amount()
	if answer, err := a.InitLoad(cardtest.EP, mac.Fen(amount), terminal); err == nil {
		a.writes = append(a.writes, a.request(a.holder, answer, amount, recharge.TradeLoad))
	}
}

func (a *adversary) initUnload() {
	amount := a.amount()
	if answer, err := a.InitUnload(cardtest.EP, mac.Fen(amount), terminal); err == nil {
		a.writes = append(a.writes, a.request(a.holder, answer, amount, recharge.TradeUnload))
	}
}

// ask sends a write to an endpoint.
func (a *adversary) ask(v []recharge.IssuedVoucher) {
	wr, ok := a.some()
	if !ok {
		return
	}
	if a.pick.IntN(12) == 0 {
		wr.Amount += 100
	}
	switch a.pick.IntN(4) {
	case 0:
		s := a.serial()
		m, err := a.prepaid("WEBM", s, "M1", wr)
		a.got("prepaid "+s, wr, m, err)
	case 1:
		s := a.serial()
		m, err := a.mac1authal("APPM", s, wr)
		a.got("payment "+s, wr, m, err)
	case 2:
		m, err := a.cash(wr)
		a.got(fmt.Sprint("cash ", wr.Counter), wr, m, err)
	case 3:
		n := a.pick.IntN(len(v))
		m, err := a.voucher(fmt.Sprint("terminal ", a.n), v[n].Password, wr)
		a.got(fmt.Sprint("voucher ", n), wr, m, err)
	}
}

// takeOff asks for the last write where an unload can be had.
func (a *adversary) takeOff() {
	if len(a.writes) > 0 {
		wr := a.writes[len(a.writes)-1]
		m, err := a.cash(wr)
		a.got(fmt.Sprint("cash ", wr.Counter), wr, m, err)
	}
}

// spend buys something where the host does not see it.
func (a *adversary) spend() {
	before := a.Balance(cardtest.EP)
	_, _ = a.Spend(cardtest.EP, &cardtest.Terminal{ID: terminal, Issuer: issuer, Factors: []mac.Factor{outer}}, mac.Fen(a.amount()/2),
		mac.BCDDate{0x20, 0x26, 0x11, 0x23}, mac.BCDTime{9, 0, 0})
	a.spent += recharge.Fen(before - a.Balance(cardtest.EP))
}

// use gives the card some MAC2 that it was ever made for.
func (a *adversary) use() {
	if len(a.made) == 0 {
		return
	}
	m := a.made[len(a.made)-1]
	if a.pick.IntN(3) == 0 {
		m = a.made[a.pick.IntN(len(a.made))]
	}
	if a.pick.IntN(4) == 0 {
		a.TearNext(cardtest.Tear(1 + a.pick.IntN(2)))
	}
	before := a.Balance(cardtest.EP)
	if m.write.TradeType == recharge.TradeUnload {
		mac3, err := a.Debit(m.write.Date, m.write.Time, m.mac2.MAC2)
		if err == nil {
			a.proofs = append(a.proofs, recharge.ConfirmMAC3{
				Caller: a.caller("TERM"), Name: recharge.Name{CardNo: a.number, Counter: m.write.Counter}, MAC3: mac3,
			})
		}
	} else if tac, err := a.Credit(m.write.Date, m.write.Time, m.mac2.MAC2); err == nil {
		a.tacs = append(a.tacs, tac)
	}
	after := a.Balance(cardtest.EP)
	a.loaded += recharge.Fen(max(after, before) - before)
	a.debited += recharge.Fen(max(after, before) - after)
}

// tell brings proofs, good ones and others, and asks and cancels.
func (a *adversary) tell() {
	ctx, s := context.Background(), a.serial()
	switch a.pick.IntN(5) {
	case 0:
		_ = a.order("APPM", s, a.holder, a.amount())
	case 1:
		_ = a.service.Cancel(ctx, recharge.CancelOrder{Caller: a.caller("APPM"), TradeID: s})
	case 2:
		_, _ = a.service.AlVerify(ctx, recharge.AlVerify{
			Caller: a.caller("APPM"), CardNo: a.number, Balance: a.amount(), Counter: mac.OnlineCount(a.pick.IntN(9)),
		})
	case 3:
		if len(a.tacs) > 0 {
			tac := a.tacs[a.pick.IntN(len(a.tacs))]
			_ = a.service.TAC(ctx, recharge.ConfirmTAC{Caller: a.caller("WEBM"), Name: recharge.Name{TradeID: s}, TAC: tac})
		}
	case 4:
		if len(a.proofs) > 0 {
			_ = a.service.MAC3(ctx, a.proofs[a.pick.IntN(len(a.proofs))])
		}
	}
}

// play tries so many things in some order.
func (a *adversary) play(steps int, v []recharge.IssuedVoucher) {
	for range steps {
		switch a.pick.IntN(14) {
		case 10, 11: // an honest load, or nearly
			a.initLoad()
			a.ask(v)
			a.use()
		case 12: // and an unload
			a.initUnload()
			a.takeOff()
			a.use()
		case 13:
			a.spend()
		case 0, 1:
			a.initLoad()
		case 2:
			a.initUnload()
		case 3, 4, 5:
			a.ask(v)
		case 6, 7:
			a.use()
		default:
			a.tell()
		}
	}
}

// Whatever hostile cards do, together they never hold more than was paid, and
// nothing is credited that a card did not give.
func TestFreeMoney(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		set := settings()
		set.Budgets = recharge.Budgets{SourceHour: 1e9, PerMinute: 1e9, DomainDay: 1e9, CardDay: 1e9, AlarmDay: 1e9}
		w := newWorld(t, dsn, set)
		w.merchant("M1", 1e12)
		var onCards, debited atomic.Int64
		var turns sync.WaitGroup
		next := make(chan int)
		for range clients {
			turns.Go(func() {
				for n := range next {
					a := &adversary{
						world: w, holder: card(n), n: n, pick: rand.New(rand.NewPCG(uint64(n), 1)), booked: map[string]recharge.Fen{},
					}
					v, err := w.office.IssueVouchers(context.Background(), "op", recharge.VoucherBatch{
						Count: 2, Amount: 200, Expires: w.clock().Add(time.Hour),
					})
					if err != nil {
						t.Error(err)
						continue
					}
					a.play(40, v)
					paid := recharge.Fen(0)
					for _, amount := range a.booked {
						paid += amount
					}
					if a.loaded > paid {
						t.Errorf("card %d took %d fen, and %d were paid", n, a.loaded, paid)
					}
					onCards.Add(int64(a.Balance(cardtest.EP)) + int64(a.spent))
					debited.Add(int64(a.debited))
				}
			})
		}
		for n := range *adversaries {
			next <- n
		}
		close(next)
		turns.Wait()
		r := w.sound()
		if onCards.Load() > r.Balances["SYSTEM 1"] {
			t.Errorf("cards have had %d fen, the ledger has put %d on them", onCards.Load(), r.Balances["SYSTEM 1"])
		}
		if r.Balances["SYSTEM 8"] > debited.Load() {
			t.Errorf("%d fen were credited for unloads, cards gave %d", r.Balances["SYSTEM 8"], debited.Load())
		}
		if onCards.Load() == 0 || r.Balances["SYSTEM 8"] == 0 {
			t.Error("nobody loaded or nobody unloaded: the test shows nothing")
		}
		t.Logf("%d hostile cards, %d writes: free money 0 fen", *adversaries, r.Writes)
	})
}
