package recharge_test

import (
	"context"
	"testing"
	"time"

	"pbochsm/cmd/onecard/internal/recharge"
	"pbochsm/mac/cardtest"
)

// A load from each source of money reaches the card, once, and is accounted.
func TestEachSource(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn, settings())
		ctx := context.Background()
		credit := func(c *holder, wr recharge.Write, m recharge.MAC2, err error) {
			t.Helper()
			w.must(err)
			before := c.Balance(cardtest.EP)
			_, err = c.Credit(wr.Date, wr.Time, m.MAC2)
			w.must(err)
			if got := recharge.Fen(c.Balance(cardtest.EP) - before); got != wr.Amount {
				t.Errorf("the card gained %d fen, want %d", got, wr.Amount)
			}
		}

		c := w.newCard()
		w.must(w.order("APPM", "A1", c, 5000))
		if got, err := w.alverify("APPM", c); err != nil || got != (recharge.AlVerified{TradeID: "A1", Amount: 5000}) {
			t.Errorf("alverify gives %v, %v", got, err)
		}
		wr := w.write(c, 5000)
		m, err := w.mac1authal("APPM", "A1", wr)
		credit(c, wr, m, err)

		w.merchant("M1", 10000)
		c = w.newCard()
		wr = w.write(c, 3000)
		m, err = w.prepaid("WEBM", "P1", "M1", wr)
		credit(c, wr, m, err)
		if got := w.balance(recharge.MerchantAccount, "M1"); got != 7000 {
			t.Errorf("the merchant has %d fen, want 7000", got)
		}

		v := w.vouchers(1, 2000)[0]
		c = w.newCard()
		wr = w.write(c, 2000)
		m, err = w.voucher("terminal", v.Password, wr)
		credit(c, wr, m, err)

		c = w.newCard()
		wr = w.write(c, 1000)
		m, err = w.cash(wr)
		credit(c, wr, m, err)

		c = w.newCard()
		w.must(w.office.CreateCorporate(ctx, "op", c.number, c.ASN(), "Corp", "secret1"))
		_, err = w.office.TopUp(ctx, "op", recharge.CorporateAccount, c.number, "C1", 900)
		w.must(err)
		wr = w.write(c, 800)
		m, err = w.group(wr)
		credit(c, wr, m, err)
		refusedWith(t, func() error { _, err := w.group(w.write(c, 101)); return err }, recharge.CorporateFunds)

		if got := w.balance(recharge.SystemAccount, "1"); got != 5000+3000+2000+1000+800 {
			t.Errorf("the ledger says %d fen are on cards", got)
		}
	})
}

func refusedWith(t *testing.T, f func() error, code recharge.Code) {
	t.Helper()
	refused(t, f(), code)
}

// The same request gets the same answer, for ever; another one under the same
// serial or the same random number gets none.
func TestRetry(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn, settings())
		w.merchant("M1", 100000)
		c := w.newCard()
		wr := w.write(c, 3000)
		first, err := w.prepaid("WEBM", "P1", "M1", wr)
		w.must(err)
		w.pass(400 * 24 * time.Hour)
		again, err := w.prepaid("WEBM", "P1", "M1", wr)
		if err != nil || again != first {
			t.Errorf("a retry after a year gives %X, %v; want %X", again, err, first)
		}
		w = join(t, dsn, settings())
		if again, err := w.prepaid("WEBM", "P1", "M1", wr); err != nil || again != first {
			t.Errorf("a retry at another process gives %X, %v; want %X", again, err, first)
		}
		for name, change := range map[string]func(*recharge.Write){
			"amount": func(w *recharge.Write) { w.Amount++ }, "time": func(w *recharge.Write) { w.Time[2]++ },
			"balance": func(w *recharge.Write) { w.Balance++ }, "card number": func(w *recharge.Write) { w.CardNo = "1" },
		} {
			changed := wr
			change(&changed)
			if _, err := w.prepaid("WEBM", "P1", "M1", changed); recharge.CodeOf(err) != recharge.SerialReused {
				t.Errorf("a retry with another %s gives %v, want %d", name, err, recharge.SerialReused)
			}
		}
		refusedWith(t, func() error { _, err := w.prepaid("WEBM", "P1", "M2", wr); return err }, recharge.SerialReused)
		refusedWith(t, func() error { _, err := w.prepaid("WEBM", "P2", "M1", wr); return err }, recharge.SerialReused)
		refusedWith(t, func() error { _, err := w.prepaid("WEBM", "P2", "M1", w.write(c, 3000)); return err }, recharge.OpenLoad)
		refusedWith(t, func() error { _, err := w.cash(w.write(c, 3000)); return err }, recharge.OpenLoad)
		if got := w.balance(recharge.MerchantAccount, "M1"); got != 97000 {
			t.Errorf("the merchant has %d fen, want 97000", got)
		}
	})
}

// A card that was torn gets another MAC2 for the same order, and no money
// moves.
func TestRewrite(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn, settings())
		w.merchant("M1", 100000)
		c := w.newCard()
		torn := w.write(c, 3000)
		first, err := w.prepaid("WEBM", "P1", "M1", torn)
		w.must(err)
		if got, err := w.alverify("WEBM", c); err != nil || got.TradeID != "P1" {
			t.Errorf("alverify after the tear gives %v, %v", got, err)
		}
		refusedWith(t, func() error { _, err := w.alverify("APPM", c); return err }, recharge.OpenLoad)
		w.pass(time.Hour)
		wr := w.write(c, 3000)
		other := wr
		other.Amount = 2000
		refusedWith(t, func() error { _, err := w.prepaid("WEBM", "P1", "M1", other); return err }, recharge.SerialReused)
		poorer := wr
		poorer.Balance = 1
		refusedWith(t, func() error { _, err := w.prepaid("WEBM", "P1", "M1", poorer); return err }, recharge.BalanceChanged)
		second, err := w.prepaid("WEBM", "P1", "M1", wr)
		w.must(err)
		if _, err := c.Credit(torn.Date, torn.Time, first.MAC2); err == nil {
			t.Error("the card took the MAC2 of the torn write")
		}
		wr = w.write(c, 3000)
		third, err := w.prepaid("WEBM", "P1", "M1", wr)
		w.must(err)
		if second == third {
			t.Error("two randoms have one MAC2")
		}
		tac, err := c.Credit(wr.Date, wr.Time, third.MAC2)
		w.must(err)
		confirm := recharge.ConfirmTAC{Caller: w.caller("WEBM"), Name: recharge.Name{TradeID: "P1"}, TAC: tac}
		confirm.TAC[0] ^= 1
		refused(t, w.service.TAC(context.Background(), confirm), recharge.ProofRefused)
		confirm.TAC = tac
		w.must(w.service.TAC(context.Background(), confirm))
		w.must(w.service.TAC(context.Background(), confirm))
		if got := w.state("WEBM", "P1"); got != recharge.Confirmed {
			t.Errorf("the order is %s", got)
		}
		refusedWith(t, func() error { _, err := w.prepaid("WEBM", "P1", "M1", w.write(c, 3000)); return err }, recharge.OrderClosed)
		if r := w.sound(); r.Writes != 3 || r.Balances["MERCHANT M1"] != 97000 {
			t.Errorf("%d writes, the merchant has %d fen; want 3 and 97000", r.Writes, r.Balances["MERCHANT M1"])
		}
	})
}

// A good MAC1 at a higher counter settles what was open below it; nothing else
// does.
func TestConsumed(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn, settings())
		c := w.newCard()
		w.must(w.order("APPM", "A1", c, 1000))
		w.must(w.order("APPM", "A2", c, 1500))
		wr := w.write(c, 1000)
		_, err := w.mac1authal("APPM", "A1", wr)
		w.must(err)
		refusedWith(t, func() error { _, err := w.mac1authal("APPM", "A2", w.write(c, 1500)); return err }, recharge.OpenLoad)
		w.write(c, 1000)
		wr = w.write(c, 1000)
		m, err := w.mac1authal("APPM", "A1", wr)
		w.must(err)
		_, err = c.Credit(wr.Date, wr.Time, m.MAC2)
		w.must(err)
		if got, err := w.alverify("APPM", c); err != nil || got.TradeID != "A2" {
			t.Errorf("alverify gives %v, %v; want A2", got, err)
		}
		if got := w.state("APPM", "A1"); got != recharge.Issued {
			t.Errorf("a claim moved the order to %s", got)
		}
		bad := w.write(c, 1500)
		bad.MAC1[0] ^= 1
		refusedWith(t, func() error { _, err := w.mac1authal("APPM", "A2", bad); return err }, recharge.CardNotAuthentic)
		if got := w.state("APPM", "A1"); got != recharge.Issued {
			t.Errorf("a wrong MAC1 moved the order to %s", got)
		}
		_, err = w.mac1authal("APPM", "A2", w.write(c, 1500))
		w.must(err)
		if got := w.state("APPM", "A1"); got != recharge.Consumed {
			t.Errorf("after a higher counter the order is %s", got)
		}
		refused(t, w.service.Cancel(context.Background(), recharge.CancelOrder{Caller: w.caller("APPM"), TradeID: "A2"}), recharge.OrderClosed)
		w.sound()
	})
}
