package recharge

import "slices"

// owner gives the order that a load belongs to already: one that is reserved,
// or one that it rewrites. It is nil for a load that registers its own. See
// [LEDGER] 4 and 5.
func (s *Service) owner(l *load, k *Known) (*Order, error) {
	w := &l.write
	for _, b := range k.Bindings {
		if b.Scheme == l.scheme.ID && (b.ASN == w.ASN) != (b.CardNo == w.CardNo) {
			return nil, refuse(CardRefused)
		}
	}
	at := atCounter(k.OfCard, w)
	order := k.Order
	if l.tradeID == "" {
		order = at
	}
	if order == nil {
		return nil, s.mayBegin(l, k, at)
	}
	if err := s.belongs(l, order); err != nil {
		return nil, err
	}
	if len(k.OfCard) > 0 && k.OfCard[0].Counter > w.Counter {
		return nil, refuse(CounterWentBack)
	}
	if at != nil && at.ID != order.ID {
		return nil, refuse(OpenLoad)
	}
	switch order.State {
	case Reserved:
		if w.TradeType != TradeLoad {
			return nil, refuse(TypeNotEnabled) // its money is held for a load
		}
		return order, nil
	case Issued:
		return order, s.mayRewrite(l, order, k.Writes)
	}
	return nil, refuse(OrderClosed)
}

// atCounter gives the order at the counter of w, if there is one.
func atCounter(ofCard []Order, w *Write) *Order {
	i := slices.IndexFunc(ofCard, func(o Order) bool { return o.Counter == w.Counter })
	if i < 0 {
		return nil
	}
	return &ofCard[i]
}

// mayBegin decides whether a load may register an order of its own.
func (s *Service) mayBegin(l *load, k *Known, at *Order) error {
	switch {
	case !l.mayRegister:
		return refuse(NoSuchOrder)
	case at != nil:
		return refuse(OpenLoad)
	case len(k.OfCard) > 0 && k.OfCard[0].Counter > l.write.Counter:
		return refuse(CounterWentBack)
	case k.Paid != nil:
		return refuse(SerialReused)
	}
	return nil
}

// belongs tells whether a load can be about order at all. An order that was
// paid in an app says what differs; elsewhere a serial, or a counter, that was
// used for something else is just that.
func (s *Service) belongs(l *load, o *Order) error {
	w := &l.write
	switch {
	case l.tradeID == "":
		if o.Domain != l.Domain || o.Source != l.source || o.TradeID != "" || o.Amount != w.Amount || o.TradeType != w.TradeType {
			return refuse(OpenLoad)
		}
	case o.Source != l.source:
		return refuse(SerialReused)
	case l.source == FromPayment && o.CardNo != w.CardNo:
		return refuse(NoSuchOrder)
	case l.source == FromPayment && o.Amount != w.Amount:
		return refuse(AmountDiffers)
	case o.CardNo != w.CardNo || o.Amount != w.Amount:
		return refuse(SerialReused)
	}
	p := o.Payment
	if o.State == Reserved && (p.Type != "" && p.Type != l.payment.Type || p.TradeID != "" && p.TradeID != l.payment.TradeID) {
		return refuse(SerialReused)
	}
	return nil
}

// mayRewrite decides whether a load repeats the write of an issued order whose
// card was torn: it must be the same transaction, from the same counter. The
// terminal may be another.
func (s *Service) mayRewrite(l *load, o *Order, writes []CardWrite) error {
	w := &l.write
	switch {
	case o.Card != l.card || o.CardNo != w.CardNo || o.Counter != w.Counter || o.TradeType != w.TradeType:
		return refuse(RewriteDiffers)
	case o.Payment != l.payment:
		return refuse(RewriteDiffers)
	case s.set.RewriteSameDay && (len(writes) == 0 || writes[0].Date != w.Date):
		return refuse(RewriteDiffers)
	case o.Balance != w.Balance && (!s.set.RewriteLower || w.Balance > o.Balance):
		return refuse(BalanceChanged)
	}
	return nil
}
