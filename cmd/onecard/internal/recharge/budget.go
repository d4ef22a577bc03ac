package recharge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// Kinds of budget.
const (
	cardFailures     = "card"
	domainFailures   = "domain"
	allFailures      = "all"
	passwordFailures = "password"
)

// withDefaults fills in what is zero.
func (b Budgets) withDefaults() Budgets {
	for of, value := range map[*int]int{&b.CardDay: 10, &b.DomainDay: 1000, &b.AlarmDay: 1000, &b.SourceHour: 5, &b.PerMinute: 60} {
		if *of == 0 {
			*of = value
		}
	}
	return b
}

// limit is what a budget may reach; that of all failures only raises an alarm.
func (b *Budgets) limit(of Budget) (limit int, refuses bool) {
	switch {
	case of.Kind == cardFailures:
		return b.CardDay, true
	case of.Kind == domainFailures:
		return b.DomainDay, true
	case of.Kind == passwordFailures && of.Subject == "":
		return b.PerMinute, true
	case of.Kind == passwordFailures:
		return b.SourceHour, true
	}
	return b.AlarmDay, false
}

// spent tells whether nothing is left of one of the budgets.
func (b *Budgets) spent(all []Budget, counts []int) bool {
	for i, of := range all {
		if limit, refuses := b.limit(of); refuses && counts[i] >= limit {
			return true
		}
	}
	return false
}

// cardBudgets are what a wrong MAC1, TAC or MAC3 is counted against.
func (s *Service) cardBudgets(domain string, c CardKey, now time.Time) []Budget {
	day := s.set.day(now)
	return []Budget{
		{cardFailures, fmt.Sprintf("%d/%X", c.Scheme, c.ASN), day},
		{domainFailures, domain, day},
		{allFailures, "", day},
	}
}

// passwordBudgets are what a wrong password is counted against.
func (s *Service) passwordBudgets(c Caller, now time.Time) []Budget {
	return []Budget{
		{passwordFailures, c.Domain + "/" + c.Source, now.UTC().Format("2006-01-02T15")},
		{passwordFailures, "", now.UTC().Format("2006-01-02T15:04")},
	}
}

// fail counts a failure and then answers code, which nobody gets before the
// count is durable. Where meanwhile others have spent the budget, nobody
// learns what the verdict was.
func (s *Service) fail(ctx context.Context, by Caller, code Code, now time.Time, budgets []Budget) error {
	c := &Change{Event: s.event("FAILURE", by, now), Spend: budgets}
	c.Event.Note = fmt.Sprintf("%04d", uint16(code))
	err := s.Ledger.Commit(ctx, c)
	if err != nil {
		return s.storeError(err)
	}
	for i, of := range budgets {
		limit, refuses := s.set.Budgets.limit(of)
		switch {
		case refuses && c.Spent[i] > limit && of.Kind == passwordFailures:
			return refuse(TooManyRequests)
		case refuses && c.Spent[i] > limit:
			return refuse(BudgetSpent)
		case !refuses && c.Spent[i] == limit:
			s.alarm(fmt.Sprintf("%d failures of cards in one day", limit))
		}
	}
	return refuse(code)
}

func (s *Service) alarm(reason string) {
	if s.Alarm != nil {
		s.Alarm(reason)
		return
	}
	s.Log.Error("alarm", "reason", reason)
}

// hsmCode is what a caller is told about an error of the security module. A
// key that is not there, or not for this, looks like a wrong MAC1.
func (s *Service) hsmCode(err error) Code {
	ours := errors.Is(err, keystore.ErrNotFound) || errors.Is(err, keystore.ErrAlgorithm) ||
		errors.Is(err, keystore.ErrUsage) || errors.Is(err, keystore.ErrRetired)
	switch {
	case errors.Is(err, mac.ErrVerify):
		return CardNotAuthentic
	case ours:
		s.Log.Warn("the security module has no key for a card", "error", err)
		return CardNotAuthentic
	case errors.Is(err, mac.ErrBudget):
		return BudgetSpent
	case errors.Is(err, mac.ErrInvalid):
		s.Log.Error("the security module refused a request", "error", err)
		return Internal
	}
	s.Log.Warn("the security module does not answer", "error", err)
	return HSMUnavailable
}

// storeError is what a caller is told about an error of the ledger.
func (s *Service) storeError(err error) error {
	var e *Error
	code := Internal
	switch {
	case err == nil, errors.As(err, &e):
		return err
	case errors.Is(err, ErrUnknownOutcome):
		code = OutcomeUnknown
	case errors.Is(err, ErrBusy), errors.Is(err, ErrConflict):
		code = Busy
	case errors.Is(err, ErrStore), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		code = StoreUnavailable
	}
	s.Log.Error("the ledger failed", "code", uint16(code), "error", err)
	return refuseFor(code, err)
}
