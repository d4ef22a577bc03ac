package recharge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pbochsm/mac"
)

// A load is a request for a MAC2, with what its endpoint adds to the rules that
// all of them share.
type load struct {
	Caller
	kind    string // of the event
	source  Source
	tradeID string // or empty
	write   Write
	payment Payment
	detail  Detail
	ask     Question // what else must be known
	gates   []string // what else nobody may work on at the same time

	// check looks at the source of the money, and gives the account that the
	// order takes it from. owner is the order that the request belongs to
	// already, or nil.
	check func(ctx context.Context, l *load, k *Known, owner *Order, now time.Time) (account int64, err error)

	// mayRegister tells whether an order that nobody has registered comes into
	// being with its first write.
	mayRegister bool
	use         *Voucher // set by check: the recharge card that pays

	scheme *Scheme
	card   CardKey
	mac2   *mac.MAC // once the security module has made it
}

// mostTries is how often a load is decided anew because the ledger has moved
// on meanwhile.
const mostTries = 8

// run answers a load. See [LEDGER] 4 for the order of its steps.
func (s *Service) run(ctx context.Context, l *load) (MAC2, error) {
	scheme, err := s.set.scheme(l.write.CardType)
	if err != nil {
		return MAC2{}, err
	}
	l.scheme, l.card = scheme, CardKey{scheme.ID, l.write.ASN, scheme.Wallet()}
	leave, err := s.gate.enterAll(ctx, append(l.gates, fmt.Sprintf("card %v", l.card))...)
	if err != nil {
		return MAC2{}, err
	}
	defer leave()
	for range mostTries {
		mac2, err := s.attempt(ctx, l)
		if !errors.Is(err, ErrConflict) {
			return MAC2{mac2}, s.storeError(err)
		}
	}
	return MAC2{}, refuse(Busy)
}

// question asks for all that decides a load.
func (s *Service) question(l *load, now time.Time) Question {
	q := l.ask
	q.Card, q.Counter, q.Random = &l.card, l.write.Counter, &l.write.Random
	q.Domain, q.TradeID, q.CardNo = l.Domain, l.tradeID, l.write.CardNo
	q.Payment = l.payment
	q.WithWrites = s.set.RewriteSameDay
	q.Budgets = append(s.cardBudgets(l.Domain, l.card, now), q.Budgets...)
	return q
}

func (s *Service) attempt(ctx context.Context, l *load) (mac.MAC, error) {
	now, clockErr := s.now()
	k, err := s.Ledger.Find(ctx, s.question(l, now))
	if err != nil {
		return mac.MAC{}, err
	}
	if k.Write != nil {
		if k.Write.Fingerprint == l.Fingerprint {
			return k.Write.MAC2, nil
		}
		return mac.MAC{}, refuse(SerialReused)
	}
	if clockErr != nil {
		return mac.MAC{}, clockErr
	}
	if err := s.fit(l, now); err != nil {
		return mac.MAC{}, err
	}
	owner, err := s.owner(l, k)
	if err != nil {
		return mac.MAC{}, err
	}
	account, err := l.check(ctx, l, k, owner, now)
	if err != nil {
		return mac.MAC{}, err
	}
	if err := s.authorize(ctx, l, k, now); err != nil {
		return mac.MAC{}, err
	}
	c, err := s.account(ctx, l, k, owner, account, now)
	if err != nil {
		return mac.MAC{}, err
	}
	if err := s.Ledger.Commit(ctx, c); err != nil {
		return mac.MAC{}, err
	}
	return *l.mac2, nil
}

// fit checks the write against clock and settings.
func (s *Service) fit(l *load, now time.Time) error {
	w := &l.write
	switch {
	case !s.set.inWindow(w.Date, w.Time, now):
		return refuse(OutsideWindow)
	case w.TradeType != TradeLoad && (w.TradeType != TradeUnload || !s.set.Unload || l.source == FromVoucher):
		return refuse(TypeNotEnabled)
	case w.Amount < 1:
		return refuseField(BadField, "TRADEMONEY")
	case w.Balance < 0 || w.Balance > MaxFen:
		return refuseField(BadField, "CARDOLDBAL")
	case w.Counter == 0xFFFF:
		return refuse(CardRefused)
	case slices.ContainsFunc(w.ASN[:], func(b byte) bool { return b>>4 > 9 || b&0x0F > 9 }):
		return refuseField(BadField, "ASN")
	}
	after, ok := plus(w.Balance, w.Amount)
	if w.TradeType == TradeUnload {
		after = w.Balance
		ok = w.Amount <= w.Balance
	}
	if !ok || over(w.Amount, l.scheme.MaxAmount) || over(after, l.scheme.MaxBalance) {
		return refuse(LimitExceeded)
	}
	return nil
}

// over tells whether amount is more than limit, or than a purse holds.
func over(amount, limit Fen) bool { return amount > MaxFen || limit > 0 && amount > limit }

// authorize has the security module check MAC1 and make MAC2, unless that was
// done in an attempt before. A wrong MAC1 is counted before it is answered.
func (s *Service) authorize(ctx context.Context, l *load, k *Known, now time.Time) error {
	budgets := s.cardBudgets(l.Domain, l.card, now)
	if s.set.Budgets.spent(budgets, k.Spent) {
		return refuse(BudgetSpent)
	}
	if l.mac2 != nil {
		return nil
	}
	mac2, err := s.askHSM(ctx, l)
	if err == nil {
		l.mac2 = &mac2
		return nil
	}
	code := s.hsmCode(err)
	if code != CardNotAuthentic {
		return refuseFor(code, err)
	}
	return s.fail(ctx, l.Caller, code, now, budgets)
}

func (s *Service) askHSM(ctx context.Context, l *load) (mac.MAC, error) {
	w := &l.write
	card := l.scheme.macCard(l.key(), w.ASN)
	if w.TradeType == TradeUnload {
		return mac.AuthorizeUnload(ctx, s.HSM, mac.Unload{
			Card: card, Random: w.Random, Counter: w.Counter, Balance: mac.Fen(w.Balance), Amount: mac.Fen(w.Amount),
			Terminal: w.Terminal, Date: w.Date, Time: w.Time, MAC1: w.MAC1,
		})
	}
	return mac.AuthorizeLoad(ctx, s.HSM, mac.Load{
		Card: card, Random: w.Random, Counter: w.Counter, Balance: mac.Fen(w.Balance), Amount: mac.Fen(w.Amount),
		Type: l.scheme.LoadType, Terminal: w.Terminal, Date: w.Date, Time: w.Time, MAC1: w.MAC1,
	})
}

// key is what the card said of its keys, in the scheme's key set.
func (l *load) key() mac.KeyID {
	return mac.KeyID{Set: l.scheme.Set, Version: l.write.Version, Algorithm: l.write.Algorithm}
}

// macCard says whose keys a card of the scheme uses.
func (s *Scheme) macCard(key mac.KeyID, asn mac.Factor) mac.Card {
	return mac.Card{Key: key, Factors: append(slices.Clone(s.Factors), asn)}
}
