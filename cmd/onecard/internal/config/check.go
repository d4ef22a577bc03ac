package config

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

// DocumentKey is the key in the example of the API document: the whole world
// has it.
const DocumentKey = "870fc2e8"

// Production tells whether real money is at stake.
func (cfg *Config) Production() bool { return cfg.Mode == "production" }

// check refuses what cannot be meant, with a line for each fault.
func (cfg *Config) check() error {
	return errors.Join(
		oneOf("mode", cfg.Mode, "test", "production"),
		cfg.checkReach(),
		cfg.checkModule(),
		cfg.checkDatabase(),
		cfg.checkSecret(),
		cfg.checkZone(),
		cfg.checkAnswers(),
		cfg.checkFields(),
		cfg.checkDomains(),
		cfg.checkSchemes(),
		oneOf("rewrite.balance", cfg.Rewrite.Balance, "same", "lower"),
		cfg.checkNumbers(),
		oneOf("log.level", cfg.Log.Level, "debug", "info", "warn", "error"),
		oneOf("log.format", cfg.Log.Format, "text", "json"),
	)
}

func oneOf(member, value string, of ...string) error {
	if slices.Contains(of, value) {
		return nil
	}
	return fmt.Errorf("%s: %q is none of %s", member, value, strings.Join(of, ", "))
}

// checkReach keeps plain HTTP on this machine unless it is asked for in words.
func (cfg *Config) checkReach() error {
	local, err := Loopback(cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if (cfg.TLS.Certificate == "") != (cfg.TLS.Key == "") || cfg.TLS.ClientCA != "" && !cfg.TLS.On() {
		return errors.New("tls: a certificate and its key go together, and client_ca needs both")
	}
	if !local && !cfg.TLS.On() && !cfg.PlainRemote {
		return fmt.Errorf("listen: %s is not a loopback address: set tls, or plain_remote if something before it speaks TLS", cfg.Listen)
	}
	if _, err := cfg.TrustedProxies(); err != nil {
		return err
	}
	if cfg.Metrics == "" {
		return nil
	}
	if _, err := Loopback(cfg.Metrics); err != nil {
		return fmt.Errorf("metrics_listen: %w", err)
	}
	return nil
}

// TrustedProxies are the networks whose X-Forwarded-For is believed.
func (cfg *Config) TrustedProxies() ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, p := range cfg.Proxies {
		prefix, err := netip.ParsePrefix(p)
		if err != nil {
			return nil, fmt.Errorf("trusted_proxies: %q is no network, as in 10.0.0.0/8", p)
		}
		all = append(all, prefix)
	}
	return all, nil
}

// Loopback tells whether addr, HOST:PORT, is of this machine alone.
func Loopback(addr string) (bool, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false, fmt.Errorf("address %q: want HOST:PORT", addr)
	}
	return host == "localhost" || net.ParseIP(host).IsLoopback(), nil
}

func (cfg *Config) checkModule() error {
	h := &cfg.HSM
	if len(h.Addresses) == 0 {
		return errors.New("hsm.addresses: no security module: name at least one daemon")
	}
	whole := h.TLS.Certificate != "" && h.TLS.Key != "" && h.TLS.CA != ""
	if !whole && h.TLS != (ModuleTLS{}) {
		return errors.New("hsm.tls: certificate, key and ca go together")
	}
	for i, addr := range h.Addresses {
		local, err := Loopback(addr)
		switch {
		case err != nil:
			return fmt.Errorf("hsm.addresses: %w", err)
		case slices.Contains(h.Addresses[:i], addr):
			return fmt.Errorf("hsm.addresses: %s is there twice", addr)
		case !local && !whole && !h.PlainRemote:
			return fmt.Errorf("hsm.addresses: %s is not a loopback address: set hsm.tls, or hsm.plain_remote if the network itself is protected", addr)
		}
	}
	if h.HeaderLength < 0 || h.HeaderLength > 255 {
		return errors.New("hsm.header_length: not within 0 to 255")
	}
	return nil
}

func (cfg *Config) checkDatabase() error {
	d := &cfg.Database
	if (d.SQLite == "") == d.Postgres.Empty() {
		return errors.New("database: want either sqlite, a file, or postgres, a connection string")
	}
	return nil
}

// checkSecret wants a key of 32 bytes: under it passwords and requests are
// recognised again.
func (cfg *Config) checkSecret() error {
	_, err := cfg.LedgerKey()
	return err
}

// LedgerKey is the key of the ledger's HMACs.
func (cfg *Config) LedgerKey() ([]byte, error) {
	b, err := hex.DecodeString(cfg.Secret.Reveal())
	if err != nil || len(b) != 32 {
		return nil, errors.New("ledger_secret: want 64 hexadecimal digits, as \"openssl rand -hex 32\" makes them")
	}
	return b, nil
}

// Zone is the time zone of HostDate and HostTime.
func (cfg *Config) Zone() *time.Location {
	zone, err := time.LoadLocation(cfg.TimeZone)
	if err != nil {
		return time.UTC // check has refused it
	}
	return zone
}

func (cfg *Config) checkZone() error {
	if _, err := time.LoadLocation(cfg.TimeZone); err != nil || cfg.TimeZone == "" {
		return fmt.Errorf("time_zone: %q is unknown here", cfg.TimeZone)
	}
	return nil
}

func (cfg *Config) checkAnswers() error {
	a := &cfg.Answers
	if a.CodeWidth < 6 || a.CodeWidth > 12 {
		return errors.New("answers.code_width: not within 6 to 12")
	}
	return errors.Join(
		oneOf("answers.language", a.Language, "zh", "en"),
		oneOf("answers.error_codes", a.ErrorCodes, "four", "two", "padded"),
	)
}

func (cfg *Config) checkFields() error {
	if _, err := cfg.CardNumber(); err != nil {
		return fmt.Errorf("fields.card_number: %w", err)
	}
	for member, codes := range map[string][]string{"payment_types": cfg.Fields.Payments, "operate_modes": cfg.Fields.OperateModes} {
		if len(codes) == 0 {
			return fmt.Errorf("fields.%s: there is none", member)
		}
		for _, c := range codes {
			if !twoDigits.MatchString(c) {
				return fmt.Errorf("fields.%s: %q has not two digits", member, c)
			}
		}
	}
	return nil
}

// CardNumber is the pattern of card numbers, the whole of them; nil if they
// are as the document has them.
func (cfg *Config) CardNumber() (*regexp.Regexp, error) {
	if cfg.Fields.CardNumber == "" {
		return nil, nil //nolint:nilnil // no pattern is the default, and regexp has no value for it
	}
	return regexp.Compile("^(?:" + cfg.Fields.CardNumber + ")$")
}

var twoDigits = regexp.MustCompile(`^[0-9]{2}$`)

func (cfg *Config) checkNumbers() error {
	var errs []error
	for name, n := range map[string]int{
		"hsm.connections":                          cfg.HSM.Connections,
		"database.connections":                     cfg.Database.Connections,
		"failure_budgets.mac1_per_card_day":        cfg.Budgets.MAC1PerCardDay,
		"failure_budgets.mac1_per_domain_day":      cfg.Budgets.MAC1PerDomainDay,
		"failure_budgets.mac1_alarm_day":           cfg.Budgets.MAC1AlarmDay,
		"failure_budgets.password_per_source_hour": cfg.Budgets.PasswordPerHour,
		"failure_budgets.passwords_per_minute":     cfg.Budgets.PasswordsPerMinute,
		"limits.connections_per_address":           cfg.Limits.PerAddress,
		"limits.in_flight":                         cfg.Limits.InFlight,
		"limits.connections":                       cfg.Limits.Connections,
	} {
		if n < 1 {
			errs = append(errs, fmt.Errorf("%s: must be at least 1", name))
		}
	}
	for name, r := range map[string]Rate{"per_domain": cfg.Limits.PerDomain, "per_source": cfg.Limits.PerSource, "bad_tokens": cfg.Limits.BadTokens} {
		if r.PerSecond < 0 || r.Burst < 0 || (r.PerSecond > 0) != (r.Burst > 0) {
			errs = append(errs, fmt.Errorf("limits.%s: per_second and burst are both more than 0, or both 0 for no bound", name))
		}
	}
	for name, d := range map[string]time.Duration{
		"clock_window": cfg.ClockWindow, "hsm.timeout": cfg.HSM.Timeout, "hsm.check_every": cfg.HSM.CheckEvery,
		"timeouts.header": cfg.Timeouts.Header, "timeouts.request": cfg.Timeouts.Request, "timeouts.answer": cfg.Timeouts.Answer,
		"timeouts.idle": cfg.Timeouts.Idle, "timeouts.drain": cfg.Timeouts.Drain,
		"reconcile.older_than": cfg.Reconcile.Older, "reconcile.settle": cfg.Reconcile.Settle,
	} {
		if d <= 0 {
			errs = append(errs, fmt.Errorf("%s: must be longer than nothing", name))
		}
	}
	for name, d := range map[string]time.Duration{
		"group_verify_window": cfg.GroupWindow, "reconcile.every": cfg.Reconcile.Every, "reconcile.verify": cfg.Reconcile.Verify,
	} {
		if d < 0 {
			errs = append(errs, fmt.Errorf("%s: cannot be negative", name))
		}
	}
	if d := cfg.Reconcile.Verify; d > 0 && d < time.Minute {
		errs = append(errs, errors.New("reconcile.verify: goes through the whole ledger, and must be at least 1m, or 0s for never"))
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}
