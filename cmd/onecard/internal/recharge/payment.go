package recharge

import (
	"context"
	"encoding/hex"
	"io"
	"slices"
	"strings"
	"time"
)

// Mac1AuthAl answers /tuxedo/mac1authal: the load of an order that was paid in
// an app.
func (s *Service) Mac1AuthAl(ctx context.Context, r Mac1AuthAl) (MAC2, error) {
	if err := s.channel(r.Domain, r.Channel); err != nil {
		return MAC2{}, err
	}
	d, err := s.set.domain(r.Domain)
	if err != nil {
		return MAC2{}, err
	}
	return s.run(ctx, &load{
		Caller: r.Caller, kind: "ISSUE", source: FromPayment, tradeID: r.TradeID, write: r.Write, payment: r.Payment,
		detail:      Detail{Channel: r.Channel, OperateMode: r.OperateMode, PhoneModel: r.PhoneModel, LinkAddr: r.LinkAddr},
		mayRegister: d.TrustChannel,
		gates:       []string{serialGate(r.Domain, r.TradeID)},
		check: func(_ context.Context, _ *load, _ *Known, _ *Order, _ time.Time) (int64, error) {
			if !slices.Contains(s.set.PaymentTypes, r.Payment.Type) {
				return 0, refuseField(BadField, "PAYMENTTYPE")
			}
			if !slices.Contains(s.set.OperateModes, r.OperateMode) {
				return 0, refuseField(BadField, "OPERATEMODE")
			}
			return PaymentAccount, nil
		},
	})
}

func serialGate(domain, tradeID string) string { return "serial " + domain + " " + tradeID }

// AlVerify answers /tuxedo/alverify. What the caller claims of the card is not
// proved, so it changes nothing, and of orders of other domains it learns only
// that there is one.
func (s *Service) AlVerify(ctx context.Context, r AlVerify) (AlVerified, error) {
	k, err := s.Ledger.Find(ctx, Question{Domain: r.Domain, CardNo: r.CardNo})
	if err != nil {
		return AlVerified{}, s.storeError(err)
	}
	i := slices.IndexFunc(k.OfCard, func(o Order) bool { return o.State == Issued })
	if i >= 0 {
		switch o := &k.OfCard[i]; {
		case r.Counter < o.Counter:
			s.alarm("the counter of a card went back, or somebody claims so")
			return AlVerified{}, refuse(CounterWentBack)
		case r.Counter == o.Counter:
			return s.unwritten(r, o)
		}
	}
	if len(k.Reserved) > 0 {
		return AlVerified{k.Reserved[0].TradeID, k.Reserved[0].Amount}, nil
	}
	if !s.set.AlVerifyFresh {
		return AlVerified{}, refuse(NothingOpen)
	}
	serial, err := freshSerial(s.Rand)
	return AlVerified{TradeID: serial}, err
}

// unwritten answers for a card that shows the counter of an issued order.
func (s *Service) unwritten(r AlVerify, o *Order) (AlVerified, error) {
	switch {
	case o.Domain != r.Domain, o.TradeID == "":
		return AlVerified{}, refuse(OpenLoad)
	case r.Balance == o.Balance, s.set.RewriteLower && r.Balance < o.Balance:
		return AlVerified{o.TradeID, o.Amount}, nil
	}
	return AlVerified{}, refuse(BalanceChanged)
}

// freshSerial gives a TradeID that no one can guess.
func freshSerial(rand io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return "", refuseFor(Internal, err)
	}
	return strings.ToUpper(hex.EncodeToString(b[:])), nil
}
