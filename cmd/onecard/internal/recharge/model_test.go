package recharge_test

import (
	"context"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"pbochsm/cmd/onecard/internal/recharge"
	"pbochsm/mac"
	"pbochsm/mac/cardtest"
)

// A model is what the rules of docs/ledger.md say about the orders of one card,
// without any of the code that carries them out.
type model struct {
	*world
	card   *holder
	prefix string
	orders map[string]*modelOrder
	last   map[uint16]string // order by counter
	write  recharge.Write
	mac2   recharge.MAC2
	of     string // the order of mac2
}

type modelOrder struct {
	state   recharge.State
	amount  recharge.Fen
	counter uint16
	balance recharge.Fen
	tac     mac.TransactionMAC
}

func (m *model) serial(t *rapid.T) string {
	return m.prefix + rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "serial")
}

func (m *model) amount(t *rapid.T) recharge.Fen {
	return rapid.SampledFrom([]recharge.Fen{100, 200}).Draw(t, "amount")
}

// want fails where the service did something else than the model.
func (m *model) want(t *rapid.T, what string, err error, code recharge.Code) {
	if got := recharge.CodeOf(err); got != code {
		t.Fatalf("%s answered %04d, the model says %04d (%v)", what, got, code, err)
	}
}

func (m *model) register(t *rapid.T) {
	s, amount := m.serial(t), m.amount(t)
	o, code := m.orders[s], recharge.Success
	switch {
	case o == nil:
		m.orders[s] = &modelOrder{state: recharge.Reserved, amount: amount}
	case o.amount != amount:
		code = recharge.SerialReused
	}
	m.want(t, "order", m.order("APPM", s, m.card, amount), code)
}

func (m *model) cancel(t *rapid.T) {
	s := m.serial(t)
	o, code := m.orders[s], recharge.Success
	switch {
	case o == nil:
		code = recharge.NoSuchOrder
	case o.state == recharge.Reserved:
		o.state = recharge.Cancelled
	case o.state != recharge.Cancelled:
		code = recharge.OrderClosed
	}
	err := m.service.Cancel(context.Background(), recharge.CancelOrder{Caller: m.caller("APPM"), TradeID: s})
	m.want(t, "cancel", err, code)
}

// load asks for the MAC2 of an order with a fresh INITIALIZE.
func (m *model) load(t *rapid.T) {
	s, amount := m.serial(t), m.amount(t)
	wr := m.world.write(m.card, amount)
	good := rapid.IntRange(0, 5).Draw(t, "MAC1") > 0
	if !good {
		wr.MAC1[1] ^= 1
	}
	code := m.loadCode(s, &wr, good)
	if code == recharge.Success {
		o := m.orders[s]
		if o.state == recharge.Reserved {
			for _, lower := range m.orders {
				if lower.state == recharge.Issued {
					lower.state = recharge.Consumed
				}
			}
			o.state, o.counter, o.balance = recharge.Issued, uint16(wr.Counter), wr.Balance
			m.last[o.counter] = s
		}
	}
	got, err := m.mac1authal("APPM", s, wr)
	m.want(t, "mac1authal", err, code)
	if code != recharge.Success {
		return
	}
	again, err := m.mac1authal("APPM", s, wr)
	if m.want(t, "retry", err, recharge.Success); again != got {
		t.Fatalf("a retry got %X, the first answer was %X", again, got)
	}
	m.write, m.mac2, m.of = wr, got, s
}

func (m *model) loadCode(s string, wr *recharge.Write, good bool) recharge.Code {
	o := m.orders[s]
	owner, taken := m.last[uint16(wr.Counter)]
	switch {
	case o == nil:
		return recharge.NoSuchOrder
	case o.amount != wr.Amount:
		return recharge.AmountDiffers
	case taken && owner != s:
		return recharge.OpenLoad
	case o.state == recharge.Issued && o.counter != uint16(wr.Counter):
		return recharge.RewriteDiffers
	case o.state != recharge.Issued && o.state != recharge.Reserved:
		return recharge.OrderClosed
	case !good:
		return recharge.CardNotAuthentic
	}
	return recharge.Success
}

// credit gives the card the last MAC2, which fits only its last INITIALIZE.
func (m *model) credit(t *rapid.T) {
	tac, err := m.card.Credit(m.write.Date, m.write.Time, m.mac2.MAC2)
	if err == nil {
		m.orders[m.of].tac = tac
	}
}

func (m *model) confirm(t *rapid.T) {
	s := m.serial(t)
	o, code := m.orders[s], recharge.Success
	name := recharge.ConfirmTAC{Caller: m.caller("APPM"), Name: recharge.Name{TradeID: s}}
	switch {
	case o == nil:
		code = recharge.NoSuchOrder
	case o.state == recharge.Reserved, o.state == recharge.Cancelled:
		code = recharge.OrderClosed
	case o.tac == mac.TransactionMAC{}:
		code = recharge.ProofRefused
	default:
		name.TAC, o.state = o.tac, recharge.Confirmed
	}
	m.want(t, "tac", m.service.TAC(context.Background(), name), code)
}

func (m *model) verify(t *rapid.T) {
	n, _ := m.card.Counters(cardtest.EP)
	s, open := m.last[uint16(n)]
	got, err := m.alverify("APPM", m.card)
	switch {
	case open && m.orders[s].state == recharge.Issued:
		if m.want(t, "alverify", err, recharge.Success); got.TradeID != s {
			t.Fatalf("alverify gives %s, the torn order is %s", got.TradeID, s)
		}
	case err == nil:
		if o := m.orders[got.TradeID]; o == nil || o.state != recharge.Reserved || o.amount != got.Amount {
			t.Fatalf("alverify gives %+v, which is not reserved", got)
		}
	default:
		m.want(t, "alverify", err, recharge.NothingOpen)
		for s, o := range m.orders {
			if o.state == recharge.Reserved {
				t.Fatalf("alverify does not find %s", s)
			}
		}
	}
}

// check compares every state, and the money on the card.
func (m *model) check(t *rapid.T) {
	issued := recharge.Fen(0)
	for s, o := range m.orders {
		if got := m.state("APPM", s); got != o.state {
			t.Fatalf("order %s is %s, the model says %s", s, got, o.state)
		}
		if o.counter != 0 || m.last[0] == s {
			issued += o.amount
		}
	}
	if got := recharge.Fen(m.card.Balance(cardtest.EP)); got > issued {
		t.Fatalf("the card has %d fen, and %d were paid", got, issued)
	}
}

// Any sequence of requests about the orders of a card is answered as the model
// says. rapid finds a shortest one that is not.
func TestModel(t *testing.T) {
	set := settings()
	set.Budgets = recharge.Budgets{CardDay: 1e9, DomainDay: 1e9, AlarmDay: 1e9}
	w := newWorld(t, "sqlite:"+t.TempDir()+"/ledger.db", set)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		m := &model{
			world: w, card: card(n), prefix: fmt.Sprintf("N%d", n), orders: map[string]*modelOrder{}, last: map[uint16]string{},
		}
		t.Repeat(map[string]func(*rapid.T){
			"":        m.check,
			"order":   m.register,
			"cancel":  m.cancel,
			"load":    m.load,
			"credit":  m.credit,
			"confirm": m.confirm,
			"verify":  m.verify,
		})
	})
	w.sound()
}
