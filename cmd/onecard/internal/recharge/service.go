package recharge

import (
	"context"
	"io"
	"log/slog"
	"time"

	"pbochsm/mac"
)

// Options are what a Service works with.
type Options struct {
	Ledger Ledger
	HSM    mac.HSM
	Keys   *Keys
	Clock  func() time.Time
	Rand   io.Reader // of fresh serials and salts
	Log    *slog.Logger
	Alarm  func(reason string) // what the operator must see at once; nil: the log
	Cost   Cost                // of new password hashes; zero: the default
}

// A Service answers the requests of the API. It is safe for concurrent use.
// Its errors are *Error.
type Service struct {
	Options
	set    Settings
	gate   gate
	watch  watch
	hasher *hasher
}

// New checks the settings.
func New(set Settings, o Options) (*Service, error) {
	if err := set.check(); err != nil {
		return nil, err
	}
	set.Budgets = set.Budgets.withDefaults()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	h, err := newHasher(o.Cost, o.Rand)
	if err != nil {
		return nil, err
	}
	return &Service{Options: o, set: set, hasher: h}, nil
}

// Now answers /tuxedo/now.
func (s *Service) Now(_ context.Context, r Now) (HostTime, error) {
	if err := s.channel(r.Domain, r.Channel); err != nil {
		return HostTime{}, err
	}
	now, err := s.now()
	if err != nil {
		return HostTime{}, err
	}
	return s.set.hostTime(now), nil
}

func (s *Service) channel(domain, channel string) error {
	d, err := s.set.domain(domain)
	if err == nil && !among(d.Channels, channel) {
		err = refuseField(NotYours, "CHANNELNO")
	}
	return err
}

// place checks where a load over the counter happens.
func (s *Service) place(domain string, c Counter) error {
	d, err := s.set.domain(domain)
	switch {
	case err != nil:
		return err
	case !among(d.Depts, c.Dept):
		return refuseField(NotYours, "DEPTNO")
	case !among(d.Operators, c.Operator):
		return refuseField(NotYours, "OPERNO")
	}
	return nil
}

// merchant checks that the domain may use the account of a merchant.
func (s *Service) merchant(domain, number string) error {
	d, err := s.set.domain(domain)
	if err == nil && !among(d.Merchants, number) {
		err = refuseField(NotYours, "BALUNITNO")
	}
	return err
}
