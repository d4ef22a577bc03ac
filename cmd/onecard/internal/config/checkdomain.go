package config

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"pbochsm/cmd/onecard/internal/api/contract"
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
	return errors.Join(append(errs, cfg.checkKeysDiffer())...)
}

// checkKeysDiffer refuses a key that two domains have: the caller of one could
// speak for the other. Tokens may be made over keys in upper case, so letter
// case makes no other key.
func (cfg *Config) checkKeysDiffer() error {
	var errs []error
	owners := map[string]*Domain{}
	for i := range cfg.Domains {
		d := &cfg.Domains[i]
		for _, k := range d.keys() {
			key := strings.ToUpper(k.secret.Reveal())
			owner := owners[key]
			switch {
			case key == "":
			case owner == nil:
				owners[key] = d
			case owner != d:
				errs = append(errs, fmt.Errorf("origin_domains: %s: %s: %s has the same, so that each could speak for the other", d.Code, k.member, owner.Code))
			}
		}
	}
	return errors.Join(errs...)
}

// A namedKey is a key with the member that it stands in.
type namedKey struct {
	member string
	secret Secret
}

// keys are all keys of a domain; some may be empty.
func (d *Domain) keys() []namedKey {
	all := []namedKey{{"key", d.Key}, {"signature_key", d.Signature}}
	for _, channel := range slices.Sorted(maps.Keys(d.ChannelKeys)) {
		all = append(all, namedKey{"channel_keys: " + channel, d.ChannelKeys[channel]})
	}
	return all
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
	for _, path := range d.Endpoints {
		if !slices.ContainsFunc(contract.Endpoints(), func(e contract.Endpoint) bool { return e.Path == path }) {
			return fmt.Errorf("endpoints: there is no endpoint %q", path)
		}
	}
	return errors.Join(
		d.checkKeys(production),
		oneOf("charset", d.Charset, "utf-8", "gbk"),
		oneOf("unknown_fields", d.Unknown, "refuse", "signed"),
		oneOf("orders", d.Orders, "strict", "trust_channel"),
	)
}

// checkKeys wants a key, and of every key what checkKey wants.
func (d *Domain) checkKeys(production bool) error {
	if d.Key.Empty() {
		return errors.New("key: there is none")
	}
	var errs []error
	for _, k := range d.keys() {
		errs = append(errs, checkKey(k.member, k.secret, production))
	}
	return errors.Join(errs...)
}

// checkKey wants 128 bits at least where money is real: a shorter key is found
// from one request.
func checkKey(member string, secret Secret, production bool) error {
	key := secret.Reveal()
	switch {
	case strings.ContainsAny(key, "&= \t"):
		return fmt.Errorf("%s: must not hold '&', '=' or blanks", member)
	case !production || key == "" && member == "signature_key":
		return nil
	case strings.EqualFold(key, DocumentKey):
		return fmt.Errorf("%s: this is the example of the API document", member)
	case len(key) < 32:
		return fmt.Errorf("%s: shorter than 32 characters; \"openssl rand -hex 16\" makes a good one", member)
	case strings.HasPrefix(key, "sandbox"):
		return fmt.Errorf("%s: this is a key of the sandbox", member)
	}
	return nil
}

func (cfg *Config) checkSchemes() error {
	if len(cfg.Schemes) == 0 {
		return errors.New("card_schemes: no card could be loaded: describe at least one")
	}
	var errs []error
	ids, types := map[int]bool{}, map[string]bool{}
	for i := range cfg.Schemes {
		s := &cfg.Schemes[i]
		if ids[s.ID] {
			errs = append(errs, fmt.Errorf("card_schemes: id %d is there twice", s.ID))
		}
		ids[s.ID] = true
		for _, t := range s.Types {
			if types[t] {
				errs = append(errs, fmt.Errorf("card_schemes: card type %s is there twice", t))
			}
			types[t] = true
		}
		if err := s.check(); err != nil {
			errs = append(errs, fmt.Errorf("card_schemes: %d: %w", s.ID, err))
		}
	}
	return errors.Join(errs...)
}

func (s *Scheme) check() error {
	if s.ID < 1 || s.ID > 255 {
		return errors.New("id: not within 1 to 255; it stays in the ledger for ever")
	}
	if len(s.Types) == 0 {
		return errors.New("card_types: none: no request could select this scheme")
	}
	for _, t := range s.Types {
		if !cardType.MatchString(t) {
			return fmt.Errorf("card_types: %q is not 1 to 4 digits or upper-case letters", t)
		}
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
	return oneOf("wallet", s.Wallet, "ED", "EP")
}
