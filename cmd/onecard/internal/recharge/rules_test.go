package recharge_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pbochsm/cmd/onecard/internal/recharge"
	"pbochsm/mac/cardtest"
)

// Each refusal has its code, and books nothing.
func TestRefusals(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn, settings())
		w.merchant("M1", 1000)
		w.merchant("M2", 0)
		ctx := context.Background()
		w.must(w.office.SetAccountStatus(ctx, "op", recharge.MerchantAccount, "M2", recharge.Blocked))
		c, bound := w.newCard(), w.newCard()
		_, err := w.cash(w.write(bound, 100))
		w.must(err)
		good := w.write(c, 100)
		changed := func(change func(*recharge.Write)) recharge.Write {
			wr := good
			change(&wr)
			return wr
		}
		prepaid := func(wr recharge.Write) error { _, err := w.prepaid("WEBM", "X1", "M1", wr); return err }
		before := w.sound()
		for name, test := range map[string]struct {
			err  error
			code recharge.Code
		}{
			"late":           {prepaid(changed(func(w *recharge.Write) { w.Time[0] = 0x08 })), recharge.OutsideWindow},
			"type":           {prepaid(changed(func(w *recharge.Write) { w.TradeType = "02" })), recharge.TypeNotEnabled},
			"card type":      {prepaid(changed(func(w *recharge.Write) { w.CardType = "09" })), recharge.BadField},
			"nothing":        {prepaid(changed(func(w *recharge.Write) { w.Amount = 0 })), recharge.BadField},
			"over amount":    {prepaid(changed(func(w *recharge.Write) { w.Amount = 50001 })), recharge.LimitExceeded},
			"over balance":   {prepaid(changed(func(w *recharge.Write) { w.Balance, w.Amount = 99000, 1001 })), recharge.LimitExceeded},
			"full purse":     {prepaid(changed(func(w *recharge.Write) { w.CardType, w.Balance = "02", recharge.MaxFen })), recharge.LimitExceeded},
			"last counter":   {prepaid(changed(func(w *recharge.Write) { w.Counter = 0xFFFF })), recharge.CardRefused},
			"ASN":            {prepaid(changed(func(w *recharge.Write) { w.ASN[0] = 0xA0 })), recharge.BadField},
			"MAC1":           {prepaid(changed(func(w *recharge.Write) { w.MAC1[3] ^= 1 })), recharge.CardNotAuthentic},
			"key version":    {prepaid(changed(func(w *recharge.Write) { w.Version = 9 })), recharge.CardNotAuthentic},
			"algorithm":      {prepaid(changed(func(w *recharge.Write) { w.Algorithm = 9 })), recharge.CardNotAuthentic},
			"bound number":   {prepaid(changed(func(w *recharge.Write) { w.CardNo = bound.number })), recharge.CardRefused},
			"bound ASN":      {prepaid(changed(func(w *recharge.Write) { w.ASN = bound.ASN() })), recharge.CardRefused},
			"short of money": {prepaid(changed(func(w *recharge.Write) { w.Amount = 1001 })), recharge.MerchantFunds},
			"other merchant": {func() error { _, err := w.prepaid("WEBM", "X1", "M3", good); return err }(), recharge.NotYours},
			"blocked":        {func() error { _, err := w.prepaid("WEBM", "X1", "M2", good); return err }(), recharge.MerchantRefused},
			"no order":       {func() error { _, err := w.mac1authal("APPM", "X1", good); return err }(), recharge.NoSuchOrder},
			"no voucher":     {func() error { _, err := w.voucher("a", "0000000000000000", good); return err }(), recharge.RechargeRefused},
			"no corporate":   {func() error { _, err := w.group(good); return err }(), recharge.CorporateRefused},
			"dept": {func() error {
				_, err := w.service.CardSupply(ctx, recharge.CardSupply{Caller: w.caller("TERM", "x"), Counter: recharge.Counter{Dept: "D2"}, Write: good})
				return err
			}(), recharge.NotYours},
			"nothing open": {func() error { _, err := w.alverify("APPM", c); return err }(), recharge.NothingOpen},
		} {
			t.Run(name, func(t *testing.T) { refused(t, test.err, test.code) })
		}
		after := w.sound()
		if after.Orders != before.Orders || after.Postings != before.Postings || after.Writes != before.Writes {
			t.Errorf("refusals booked something: %+v before, %+v after", before, after)
		}
		w.must(prepaid(good))
	})
}

// An order is bound to its card and its amount.
func TestOrderBinding(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn, settings())
		c, other := w.newCard(), w.newCard()
		w.must(w.order("APPM", "A1", c, 1000))
		w.must(w.order("APPM", "A1", c, 1000))
		refused(t, w.order("APPM", "A1", c, 1001), recharge.SerialReused)
		refusedWith(t, func() error { _, err := w.mac1authal("APPM", "A1", w.write(other, 1000)); return err }, recharge.NoSuchOrder)
		refusedWith(t, func() error { _, err := w.mac1authal("APPM", "A1", w.write(c, 999)); return err }, recharge.AmountDiffers)
		_, err := w.mac1authal("FREE", "A2", w.write(c, 999)) // a domain that registers with the write
		w.must(err)
		refusedWith(t, func() error { _, err := w.mac1authal("APPM", "A1", w.write(c, 1000)); return err }, recharge.OpenLoad)
	})
}

// A payment pays for one order, whatever its serial.
func TestPaymentOnce(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn, settings())
		register := func(serial string) error {
			return w.service.Order(context.Background(), recharge.RegisterOrder{
				Caller: w.caller("APPM", serial), TradeID: serial, CardNo: w.newCard().number, Amount: 100,
				Payment: recharge.Payment{Type: "01", TradeID: "PAY1"},
			})
		}
		errs := make([]error, 16)
		together(len(errs), func(i int) { errs[i] = register(fmt.Sprintf("A%d", i)) })
		good := 0
		for _, err := range errs {
			if err == nil {
				good++
				continue
			}
			refused(t, err, recharge.SerialReused)
		}
		if good != 1 {
			t.Errorf("%d orders for one payment", good)
		}
		w.sound()
	})
}

// Wrong MAC1s of a card and wrong passwords of a source end after so many, in
// all processes together.
func TestBudgets(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		all := processes(t, dsn, settings())
		w := all[0]
		c := w.newCard()
		bad := w.write(c, 100)
		bad.MAC1[0] ^= 1
		for i := range 10 {
			_, err := all[i%len(all)].cash(bad)
			refused(t, err, recharge.CardNotAuthentic)
		}
		_, err := all[1].cash(w.write(c, 100))
		refused(t, err, recharge.BudgetSpent)
		w.pass(24 * time.Hour)
		_, err = w.cash(w.write(c, 100))
		w.must(err)

		v := w.vouchers(1, 500)[0]
		check := func(w *world, source string, p recharge.Password) error {
			by := w.caller("TERM")
			by.Source = source
			_, err := w.service.CheckPassword(context.Background(), recharge.CheckPassword{Caller: by, Password: p})
			return err
		}
		for _, other := range all {
			other.now.Store(w.now.Load())
		}
		for i := range 5 {
			refused(t, check(all[i%len(all)], "a", "1234123412341234"), recharge.RechargeRefused)
		}
		refused(t, check(all[1], "a", v.Password), recharge.TooManyRequests)
		w.must(check(w, "b", v.Password))
		w.must(w.office.SetVoucherStatus(context.Background(), "op", v.Serial, recharge.Blocked))
		refused(t, check(w, "b", v.Password), recharge.RechargeRefused)
		w.must(w.office.SetVoucherStatus(context.Background(), "op", v.Serial, recharge.Active))
		w.pass(48 * time.Hour)
		refused(t, check(w, "b", v.Password), recharge.RechargeRefused)
	})
}

// A recharge card is worth exactly its amount, and a rewrite spends nothing.
func TestVoucher(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn, settings())
		v := w.vouchers(1, 500)[0]
		c := w.newCard()
		refusedWith(t, func() error { _, err := w.voucher("a", v.Password, w.write(c, 499)); return err }, recharge.RechargeRefused)
		_, err := w.voucher("a", v.Password, w.write(c, 500))
		w.must(err)
		wr := w.write(c, 500)
		m, err := w.voucher("a", v.Password, wr)
		w.must(err)
		_, err = c.Credit(wr.Date, wr.Time, m.MAC2)
		w.must(err)
		refusedWith(t, func() error { _, err := w.voucher("a", v.Password, w.write(c, 500)); return err }, recharge.RechargeRefused)
		n, _ := c.Counters(cardtest.EP)
		got, err := w.service.Query(context.Background(), recharge.QueryOrder{
			Caller: w.caller("TERM"), Name: recharge.Name{CardNo: c.number, Counter: n - 1},
		})
		if err != nil || got.State != recharge.Issued || got.Amount != 500 {
			t.Errorf("query by card and counter gives %+v, %v", got, err)
		}
		if r := w.sound(); r.Balances["SYSTEM 1"] != 500 || r.Writes != 2 {
			t.Errorf("%d fen on cards after %d writes", r.Balances["SYSTEM 1"], r.Writes)
		}
	})
}

// An unload is credited when the card has proved it, and not before.
func TestUnload(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn, settings())
		c := w.newCard()
		wr := w.write(c, 1000)
		m, err := w.cash(wr)
		w.must(err)
		_, err = c.Credit(wr.Date, wr.Time, m.MAC2)
		w.must(err)
		refusedWith(t, func() error {
			bad := w.unload(c, 400)
			bad.Amount = 1001
			_, err := w.cash(bad)
			return err
		}, recharge.LimitExceeded)
		wr = w.unload(c, 400)
		m, err = w.cash(wr)
		w.must(err)
		if got := w.balance(recharge.SystemAccount, "8"); got != 0 {
			t.Errorf("%d fen credited before MAC3", got)
		}
		mac3, err := c.Debit(wr.Date, wr.Time, m.MAC2)
		w.must(err)
		proof := recharge.ConfirmMAC3{Caller: w.caller("TERM"), Name: recharge.Name{CardNo: c.number, Counter: wr.Counter}, MAC3: mac3}
		wrong := proof
		wrong.MAC3[0] ^= 1
		refused(t, w.service.MAC3(context.Background(), wrong), recharge.ProofRefused)
		together(8, func(int) {
			if err := w.service.MAC3(context.Background(), proof); err != nil {
				t.Error(err)
			}
		})
		if r := w.sound(); r.Balances["SYSTEM 8"] != 400 || r.Balances["SYSTEM 1"] != 600 {
			t.Errorf("credited %d, on cards %d; want 400 and 600", r.Balances["SYSTEM 8"], r.Balances["SYSTEM 1"])
		}
	})
}

// The password of a corporate card can be checked and changed; a repeated
// change succeeds again.
func TestCorporate(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		set := settings()
		set.GroupVerifyWindow = 10 * time.Minute
		w := newWorld(t, dsn, set)
		ctx := context.Background()
		c := w.newCard()
		w.must(w.office.CreateCorporate(ctx, "op", c.number, c.ASN(), "Corp", "secret1"))
		if err := w.office.CreateCorporate(ctx, "op", c.number, c.ASN(), "Corp", "secret1"); !errors.Is(err, recharge.ErrExists) {
			t.Errorf("a second card of the number: %v", err)
		}
		_, err := w.office.TopUp(ctx, "op", recharge.CorporateAccount, c.number, "C1", 900)
		w.must(err)
		verify := func(card string, p recharge.Password) (recharge.Worth, error) {
			return w.service.GroupVerify(ctx, recharge.GroupVerify{Caller: w.caller("TERM"), Card: card, Password: p})
		}
		refusedWith(t, func() error { _, err := w.group(w.write(c, 100)); return err }, recharge.CorporateRefused)
		refusedWith(t, func() error { _, err := verify("6999999999999999", "secret1"); return err }, recharge.CorporateRefused)
		if got, err := verify(fmt.Sprintf("%X", c.ASN()), "secret1"); err != nil || got.Amount != 900 {
			t.Errorf("verify by ASN gives %v, %v", got, err)
		}
		_, err = w.group(w.write(c, 100))
		w.must(err)
		modify := func(old, password recharge.Password) error {
			return w.service.GroupModify(ctx, recharge.GroupModify{Caller: w.caller("TERM"), CardNo: c.number, Old: old, New: password})
		}
		refused(t, modify("secret1", "short"), recharge.PasswordUnsuitable)
		refused(t, modify("wrong12", "secret2"), recharge.CorporateRefused)
		w.must(modify("secret1", "secret2"))
		w.must(modify("secret1", "secret2"))
		refusedWith(t, func() error { _, err := verify(c.number, "secret1"); return err }, recharge.CorporateRefused)
		_, err = verify(c.number, "secret2")
		w.must(err)
		w.sound()
	})
}

// A clock that went back is not trusted with a date, nor asked about one.
func TestClock(t *testing.T) {
	w := newWorld(t, "sqlite:"+t.TempDir()+"/ledger.db", settings())
	c := w.newCard()
	wr := w.write(c, 100)
	w.pass(-6 * time.Second)
	refusedWith(t, func() error { _, err := w.cash(wr); return err }, recharge.ClockNotTrusted)
	w.pass(2 * time.Second)
	_, err := w.cash(wr)
	w.must(err)
	w.pass(-time.Hour)
	_, err = w.cash(wr) // a stored answer needs no clock
	w.must(err)
}

func TestSecretsAreNotPrinted(t *testing.T) {
	const password = "9876543210987654"
	r := recharge.CheckPassword{Password: password}
	for _, form := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if text := fmt.Sprintf(form, r); strings.Contains(text, password) || strings.Contains(text, fmt.Sprintf("%x", password)) {
			t.Errorf("%s prints %s", form, text)
		}
	}
}
