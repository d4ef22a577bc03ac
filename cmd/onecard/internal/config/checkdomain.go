package config

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

var (
	domainCode = regexp.MustCompile(`^[A-Z]{4}$`)
	cardType   = regexp.MustCompile(`^[0-9A-Z]{1,4}$`)
)

func (cfg *Config) checkDomains() error {
	if len(cfg.Domains) == 0 {
		return errors.New("origin_domains: nobody could call: name at least one")
	}
	var errs []error
	seen := map[string]bool{}
	for i := range cfg.Domains {
		d := &cfg.Domains[i]
		if seen[d.Code] {
			errs = append(errs, fmt.Errorf("origin_domains: %s is there twice", d.Code))
		}
		seen[d.Code] = true
		if err := d.check(cfg.Production()); err != nil {
			errs = append(errs, fmt.Errorf("origin_domains: %s: %w", d.Code, err))
		}
	}
	return errors.Join(errs...)
}

func (d *Domain) check(production bool) error {
	if !domainCode.MatchString(d.Code) {
		return errors.New("code: want four upper-case letters")
	}
	if d.Charset == "" {
		d.Charset = "utf-8"
	}
	if d.Unknown == "" {
		d.Unknown = "refuse"
	}
	if d.Orders == "" {
		d.Orders = "strict"
	}
	if len(d.Endpoints) == 0 {
		return errors.New("endpoints: none is allowed: list those that this domain may call")
	}
	for _, e := range d.Endpoints {
		if !strings.HasPrefix(e, "/") {
			return fmt.Errorf("endpoints: %q is no path", e)
		}
	}
	return errors.Join(
		d.checkKey(production),
		oneOf("charset", d.Charset, "utf-8", "gbk"),
		oneOf("unknown_fields", d.Unknown, "refuse", "signed"),
		oneOf("orders", d.Orders, "strict", "trust_channel"),
	)
}

// checkKey wants 128 bits at least where money is real: a shorter key is found
// from one request.
func (d *Domain) checkKey(production bool) error {
	key := d.Key.Reveal()
	switch {
	case key == "":
		return errors.New("key: there is none")
	case strings.ContainsAny(key, "&= \t"):
		return errors.New("key: must not hold '&', '=' or blanks")
	case !production:
		return nil
	case strings.EqualFold(key, DocumentKey):
		return errors.New("key: this is the example of the API document")
	case strings.HasPrefix(key, "demo-"):
		return errors.New("key: this is a key of the sandbox")
	case len(key) < 32:
		return errors.New("key: shorter than 32 characters; \"openssl rand -hex 16\" makes a good one")
	}
	return nil
}

func (cfg *Config) checkSchemes() error {
	if len(cfg.Schemes) == 0 {
		return errors.New("card_schemes: no card could be loaded: describe at least one")
	}
	var errs []error
	seen := map[string]bool{}
	for i := range cfg.Schemes {
		s := &cfg.Schemes[i]
		if seen[s.Type] {
			errs = append(errs, fmt.Errorf("card_schemes: card type %s is there twice", s.Type))
		}
		seen[s.Type] = true
		if err := s.check(); err != nil {
			errs = append(errs, fmt.Errorf("card_schemes: %s: %w", s.Type, err))
		}
	}
	return errors.Join(errs...)
}

func (s *Scheme) check() error {
	if !cardType.MatchString(s.Type) {
		return errors.New("card_type: want 1 to 4 digits or upper-case letters")
	}
	if b, err := hex.DecodeString(s.Set); err != nil || len(b) != 1 {
		return errors.New("key_set: want two hexadecimal digits")
	}
	for _, f := range s.Factors {
		if b, err := hex.DecodeString(f); err != nil || len(b) != 8 {
			return errors.New("outer_factors: want 16 hexadecimal digits each")
		}
	}
	if len(s.Factors) > 3 {
		return errors.New("outer_factors: at most 3, the card's own comes behind them")
	}
	if s.MaxAmount < 1 || s.MaxAmount > 1<<31-1 || s.MaxBalance < 1 || s.MaxBalance > 1<<31-1 {
		return errors.New("max_amount and max_balance: not within 1 to 2147483647 fen")
	}
	return errors.Join(oneOf("wallet", s.Wallet, "ED", "EP"), s.checkTypes())
}

// checkTypes holds the type identifiers against the wallet: with another one
// no card of the scheme would ever accept a MAC2.
func (s *Scheme) checkTypes() error {
	load := map[string]string{"ED": "01", "EP": "02"}[s.Wallet]
	for _, trade := range slices.Sorted(maps.Keys(s.TTI)) {
		want := map[string]string{"01": load, "03": "03"}[trade]
		if s.TTI[trade] != want || want == "" {
			return fmt.Errorf("tti: trade type %s with identifier %s does not fit a wallet %s", trade, s.TTI[trade], s.Wallet)
		}
	}
	if s.TTI["01"] == "" {
		return errors.New("tti: there is none for a load (trade type 01)")
	}
	if s.Unload && s.TTI["03"] == "" {
		return errors.New("tti: there is none for an unload (trade type 03)")
	}
	return nil
}
