package recharge_test

import (
	"context"
	"errors"
	"fmt"
	"io"
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

// What is given up takes two persons and an order that has not moved.
func TestTwoPersons(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn, settings())
		ctx := context.Background()
		w.merchant("M1", 1000)
		anna, bert := recharge.Signature{Name: "anna", Passphrase: "correct horse battery"}, recharge.Signature{Name: "bert", Passphrase: "staple horse correct"}
		w.must(w.office.AddPerson(ctx, "op", anna))
		w.must(w.office.AddPerson(ctx, "op", bert))
		w.vouched(anna, bert)
		c := w.newCard()
		_, err := w.prepaid("WEBM", "P1", "M1", w.write(c, 300))
		w.must(err)
		refund := recharge.Proposed{Kind: recharge.Refunded, Domain: "WEBM", TradeID: "P1", Evidence: "load log of the card, without it"}
		if _, err := w.office.Propose(ctx, refund, "anna", "wrong"); !errors.Is(err, recharge.ErrPerson) {
			t.Errorf("wrong pass-phrase: %v", err)
		}
		id, err := w.office.Propose(ctx, refund, "anna", "correct horse battery")
		w.must(err)
		if err := w.office.Approve(ctx, recharge.Refunded, id, "anna", "correct horse battery"); !errors.Is(err, recharge.ErrTwo) {
			t.Errorf("approved by the one who proposed: %v", err)
		}
		last := w.write(c, 300)
		mac2, err := w.prepaid("WEBM", "P1", "M1", last) // a rewrite: the order has moved
		w.must(err)
		if err := w.office.Approve(ctx, recharge.Refunded, id, "bert", "staple horse correct"); !errors.Is(err, recharge.ErrStatus) {
			t.Errorf("approved an order that has moved: %v", err)
		}
		id, err = w.office.Propose(ctx, refund, "anna", "correct horse battery")
		w.must(err)
		together(4, func(int) { _ = w.office.Approve(ctx, recharge.Refunded, id, "bert", "staple horse correct") })
		if got := w.state("WEBM", "P1"); got != recharge.Refunded {
			t.Errorf("the order is %s", got)
		}
		w.provesAfterAll("P1", c, last, mac2)
		if got := w.balance(recharge.MerchantAccount, "M1"); got != 1000 {
			t.Errorf("the merchant has %d fen, want 1000", got)
		}
		refusedWith(t, func() error { _, err := w.prepaid("WEBM", "P1", "M1", w.write(c, 300)); return err }, recharge.OrderClosed)
		if _, err := w.office.Propose(ctx, refund, "anna", "correct horse battery"); !errors.Is(err, recharge.ErrStatus) {
			t.Errorf("a second refund: %v", err)
		}
	})
}

// provesAfterAll has a card take the money of an order that was refunded, and
// prove it: nothing is booked, and the reconciliation names the order.
func (w *world) provesAfterAll(serial string, c *holder, wr recharge.Write, mac2 recharge.MAC2) {
	w.t.Helper()
	ctx := context.Background()
	tac, err := c.Credit(wr.Date, wr.Time, mac2.MAC2)
	w.must(err)
	proof := recharge.ConfirmTAC{Caller: w.caller("WEBM"), Name: recharge.Name{TradeID: serial}, TAC: tac}
	refused(w.t, w.service.TAC(ctx, proof), recharge.OrderClosed)
	r, err := w.ledger.Reconcile(ctx, w.clock(), 0)
	w.must(err)
	if len(r.Proved) != 1 || r.Proved[0].TradeID != serial {
		w.t.Errorf("orders that were given up and proved: %v, want %s", r.Proved, serial)
	}
	w.sound()
}

// vouched holds that a third person needs the two who are there.
func (w *world) vouched(anna, bert recharge.Signature) {
	w.t.Helper()
	carl := recharge.Signature{Name: "carl", Passphrase: "battery horse staple"}
	wrong := recharge.Signature{Name: "bert", Passphrase: "battery horse staple"}
	for _, c := range []struct {
		sponsors []recharge.Signature
		want     error
	}{
		{nil, recharge.ErrSponsors},
		{[]recharge.Signature{anna}, recharge.ErrSponsors},
		{[]recharge.Signature{anna, anna}, recharge.ErrSponsors},
		{[]recharge.Signature{anna, carl}, recharge.ErrPerson},
		{[]recharge.Signature{anna, wrong}, recharge.ErrPerson},
		{[]recharge.Signature{anna, bert}, nil},
		{[]recharge.Signature{anna, bert}, recharge.ErrExists},
	} {
		if err := w.office.AddPerson(context.Background(), "op", carl, c.sponsors...); !errors.Is(err, c.want) {
			w.t.Errorf("carl with %d sponsors: %v, want %v", len(c.sponsors), err, c.want)
		}
	}
}

// What no card takes at once is neither ordered nor sold.
func TestMoreThanACardTakes(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		set := settings()
		set.Schemes = set.Schemes[:1] // 500 yuan at most
		w := newWorld(t, dsn, set)
		refused(t, w.order("APPM", "A1", w.newCard(), 50001), recharge.LimitExceeded)
		w.must(w.order("APPM", "A2", w.newCard(), 50000))
		const file = "TradeID,CarNo,TradeMoney,PaymentType,AccountNo,PaymentTradeID\nA3,2150010186000001,50001,01,,\n"
		imported, err := w.office.ImportOrders(context.Background(), "op", "APPM", strings.NewReader(file))
		w.must(err)
		if len(imported.Refused) != 1 || recharge.CodeOf(imported.Refused[0].Err) != recharge.LimitExceeded {
			t.Errorf("imported: %+v", imported)
		}
		_, err = w.office.IssueVouchers(context.Background(), "op", recharge.VoucherBatch{Count: 1, Amount: 50001, Expires: w.clock().Add(time.Hour)})
		if !errors.Is(err, recharge.ErrUnsuited) {
			t.Errorf("a recharge card that no card takes: %v", err)
		}
	})
}

// A batch of recharge cards whose number is taken gets another one.
func TestBatchNumberTaken(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn, settings())
		random := w.office.Rand
		w.office.Rand = io.MultiReader(strings.NewReader("same"), random)
		first := w.vouchers(1, 300)
		w.office.Rand = io.MultiReader(strings.NewReader("same"), random)
		second := w.vouchers(1, 300)
		if first[0].Serial != "73616D65-00001" || second[0].Serial == first[0].Serial {
			t.Errorf("serials %s and %s", first[0].Serial, second[0].Serial)
		}
		w.sound()
	})
}

// A file can be imported twice.
func TestImport(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn, settings())
		const file = "TradeID,CarNo,TradeMoney,PaymentType,AccountNo,PaymentTradeID\n" +
			"a1,6000000000000001,100,01,,p1\na2,6000000000000001,0100,01,,p2\na3,6000000000000002,300,01,,p1\na4,6000000000000002,400,02,x,p4\n"
		got, err := w.office.ImportOrders(context.Background(), "op", "APPM", strings.NewReader(file))
		if err != nil || got.New != 2 || len(got.Refused) != 2 || got.Refused[0].Line != 3 || got.Refused[1].Line != 4 {
			t.Errorf("first import: %+v, %v", got, err)
		}
		got, err = w.office.ImportOrders(context.Background(), "op", "APPM", strings.NewReader(file))
		if err != nil || got.New != 0 || got.Known != 2 || len(got.Refused) != 2 {
			t.Errorf("second import: %+v, %v", got, err)
		}
		if _, err := w.office.ImportOrders(context.Background(), "op", "APPM", strings.NewReader("x\n")); !errors.Is(err, recharge.ErrUnsuited) {
			t.Errorf("a file without header: %v", err)
		}
		if got := w.balance(recharge.SystemAccount, "6"); got != 500 {
			t.Errorf("%d fen are held, want 500", got)
		}
		var out strings.Builder
		w.must(w.ledger.Export(context.Background(), &out))
		if !strings.Contains(out.String(), `"tradeId":"A4"`) {
			t.Errorf("the export lacks an order:\n%s", out.String())
		}
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
