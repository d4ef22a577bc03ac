package recharge_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"pbochsm/cmd/onecard/internal/recharge"
)

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
	r, err := w.ledger.Reconcile(ctx, w.clock(), 0, 10)
	w.must(err)
	if r.Proved.Orders != 1 || len(r.Proved.Oldest) != 1 || r.Proved.Oldest[0].TradeID != serial {
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
