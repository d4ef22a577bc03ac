package recharge

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"pbochsm/mac"
)

// GroupVerify answers /group/verify.
func (s *Service) GroupVerify(ctx context.Context, r GroupVerify) (Worth, error) {
	leave, err := s.gate.enter(ctx, sourceGate(r.Caller))
	if err != nil {
		return Worth{}, err
	}
	defer leave()
	for range mostTries {
		worth, err := s.groupVerify(ctx, r)
		if !errors.Is(err, ErrConflict) {
			return worth, s.storeError(err)
		}
	}
	return Worth{}, refuse(Busy)
}

func (s *Service) groupVerify(ctx context.Context, r GroupVerify) (Worth, error) {
	c, now, budgets, err := s.corporate(ctx, r.Caller, r.Card)
	if err != nil {
		return Worth{}, err
	}
	if !s.hasher.verify(c.Hash, string(r.Password)) || c.Account.Status != Active {
		return Worth{}, s.fail(ctx, r.Caller, CorporateRefused, now, budgets)
	}
	if s.set.GroupVerifyWindow > 0 {
		c.VerifiedAt = now.UnixMilli()
		change := &Change{Event: s.event("VERIFY", r.Caller, now), Corporates: []Corporate{*c}}
		if err := s.Ledger.Commit(ctx, change); err != nil {
			return Worth{}, err
		}
	}
	return Worth{c.Account.Balance}, nil
}

// corporate finds a corporate card by its number or its ASN. One that does not
// exist has an empty hash, so that refusing it takes the same work.
func (s *Service) corporate(ctx context.Context, by Caller, card string) (*Corporate, time.Time, []Budget, error) {
	now, err := s.now()
	if err != nil {
		return nil, now, nil, err
	}
	budgets := s.passwordBudgets(by, now)
	k, err := s.Ledger.Find(ctx, Question{Group: card, GroupASN: asnOf(card), Budgets: budgets})
	if err != nil {
		return nil, now, nil, err
	}
	if s.set.Budgets.spent(budgets, k.Spent) {
		return nil, now, nil, refuse(TooManyRequests)
	}
	if k.Corporate == nil {
		k.Corporate = &Corporate{}
	}
	return k.Corporate, now, budgets, nil
}

// asnOf reads 16 digits as an application serial number, or gives nil.
func asnOf(digits string) *mac.Factor {
	var asn mac.Factor
	if len(digits) != 2*len(asn) {
		return nil
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return nil
		}
	}
	if _, err := hex.Decode(asn[:], []byte(digits)); err != nil {
		return nil
	}
	return &asn
}

// GroupModify answers /group/pwmodify. Who asks again with the password that
// was replaced and the one that replaced it did not hear the first answer.
func (s *Service) GroupModify(ctx context.Context, r GroupModify) error {
	if !suitable(r.New) || r.New == r.Old {
		return refuse(PasswordUnsuitable)
	}
	leave, err := s.gate.enter(ctx, sourceGate(r.Caller))
	if err != nil {
		return err
	}
	defer leave()
	for range mostTries {
		if err := s.groupModify(ctx, r); !errors.Is(err, ErrConflict) {
			return s.storeError(err)
		}
	}
	return refuse(Busy)
}

func (s *Service) groupModify(ctx context.Context, r GroupModify) error {
	c, now, budgets, err := s.corporate(ctx, r.Caller, r.CardNo)
	if err != nil {
		return err
	}
	old := s.hasher.verify(c.Hash, string(r.Old))
	again := s.hasher.verify(c.Previous, string(r.Old))
	again = s.hasher.verify(c.Hash, string(r.New)) && again
	switch {
	case c.Account.Status != Active || !old && !again:
		return s.fail(ctx, r.Caller, CorporateRefused, now, budgets)
	case !old:
		return nil
	}
	c.Previous = c.Hash
	if c.Hash, err = s.hasher.hash(string(r.New)); err != nil {
		return refuseFor(Internal, err)
	}
	c.VerifiedAt = 0
	return s.Ledger.Commit(ctx, &Change{Event: s.event("PASSWORD", r.Caller, now), Corporates: []Corporate{*c}})
}

// suitable tells whether a password may be set: 6 to 12 printable characters
// of ASCII.
func suitable(p Password) bool {
	for _, b := range []byte(p) {
		if b <= ' ' || b > '~' {
			return false
		}
	}
	return len(p) >= 6 && len(p) <= 12
}
