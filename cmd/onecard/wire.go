package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"pbochsm/cmd/onecard/internal/api"
	"pbochsm/cmd/onecard/internal/api/contract"
	"pbochsm/cmd/onecard/internal/api/token"
	"pbochsm/cmd/onecard/internal/config"
	"pbochsm/cmd/onecard/internal/ledger"
	"pbochsm/cmd/onecard/internal/modules"
	"pbochsm/cmd/onecard/internal/recharge"
	"pbochsm/mac"
	"pbochsm/protocol"
)

// Parts are what a system is made with besides its configuration. Zero members
// are what production has.
type parts struct {
	clock      func() time.Time
	rand       io.Reader
	log        *slog.Logger
	fatal      func(error)                           // the ledger can go on no more
	hsm        func(mac.HSM) mac.HSM                 // goes before the security module
	books      func(recharge.Ledger) recharge.Ledger // goes before the ledger
	sandbox    http.Handler                          // below /_sim/
	afterToken func(context.Context, string) error   // see api.Options
	metrics    *prometheus.Registry
}

// A system is everything between the HTTP server and the outside: security
// module, ledger, business, API.
type system struct {
	pool   *modules.Pool
	toHSM  *protocol.Credentials // nil where daemons are asked in plain
	ledger *ledger.Ledger
	api    *api.API
}

// openSystem connects the parts that cfg names.
func openSystem(ctx context.Context, cfg *config.Config, p parts) (s *system, err error) {
	s = &system{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if t := cfg.HSM.TLS; t.Certificate != "" {
		if s.toHSM, err = protocol.OpenCredentials(t.Certificate, t.Key, t.CA); err != nil {
			return s, fmt.Errorf("hsm.tls: %w", err)
		}
	}
	if s.pool, err = openPool(cfg, s.toHSM, p.log); err != nil {
		return s, err
	}
	keys, err := serverKeys(cfg)
	if err != nil {
		return s, err
	}
	if s.ledger, err = ledger.Open(ctx, ledger.Options{DSN: dsn(cfg), Fatal: p.fatal, Secret: keys.Check()}); err != nil {
		return s, err
	}
	o := recharge.Options{Ledger: s.ledger, HSM: s.pool, Keys: keys, Clock: p.clock, Rand: p.rand, Log: p.log}
	if p.hsm != nil {
		o.HSM = p.hsm(o.HSM)
	}
	if p.books != nil {
		o.Ledger = p.books(o.Ledger)
	}
	service, err := recharge.New(settings(cfg), o)
	if err != nil {
		return s, err
	}
	options, err := apiOptions(cfg)
	if err != nil {
		return s, err
	}
	options.Service, options.Keys, options.Nonces, options.Ready = service, keys, s.ledger, s.ready
	options.Now, options.Rand, options.Log = p.clock, p.rand, p.log
	options.Sandbox, options.AfterToken, options.Metrics = p.sandbox, p.afterToken, p.metrics
	s.api, err = api.New(*options)
	return s, err
}

// ready tells whether the system can answer a request for money, and of the
// tokens that its keys are in.
func (s *system) ready(ctx context.Context) ([]string, error) {
	var tokens []string
	for _, t := range s.pool.Tokens() {
		tokens = append(tokens, t.String())
	}
	return tokens, errors.Join(s.pool.Ready(), s.ledger.Ping(ctx))
}

func (s *system) close() error {
	var errs []error
	if s.ledger != nil {
		errs = append(errs, s.ledger.Close())
	}
	if s.pool != nil {
		errs = append(errs, s.pool.Close())
	}
	return errors.Join(errs...)
}

// openPool prepares a client for each daemon.
func openPool(cfg *config.Config, own *protocol.Credentials, log *slog.Logger) (*modules.Pool, error) {
	h := &cfg.HSM
	format := protocol.DefaultFormat()
	format.Header = h.HeaderLength
	var clients []*protocol.Client
	for _, addr := range h.Addresses {
		c := &protocol.Client{Addr: addr, Format: format, Conns: h.Connections, Timeout: h.Timeout, DialTimeout: h.Timeout}
		if own != nil {
			c.TLS = own.Client()
			c.TLS.ServerName = h.TLS.Name
		}
		clients = append(clients, c)
	}
	return modules.New(clients, modules.Options{Every: h.CheckEvery, Patience: h.Timeout, Logger: log})
}

// dsn is the ledger's address as package ledger takes it.
func dsn(cfg *config.Config) string {
	if cfg.Database.SQLite != "" {
		return "sqlite:" + cfg.Database.SQLite
	}
	text := cfg.Database.Postgres.Reveal()
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" {
		return text // which Open refuses, with a reason
	}
	q := u.Query()
	if !q.Has("pool_max_conns") {
		q.Set("pool_max_conns", strconv.Itoa(cfg.Database.Connections))
		u.RawQuery = q.Encode()
	}
	return u.String()
}

func serverKeys(cfg *config.Config) (*recharge.Keys, error) {
	secret, err := cfg.LedgerKey()
	if err != nil {
		return nil, err
	}
	return recharge.NewKeys(secret)
}

// settings are the business's part of the configuration.
func settings(cfg *config.Config) recharge.Settings {
	s := recharge.Settings{
		Zone: cfg.Zone(), Window: cfg.ClockWindow, PaymentTypes: cfg.Fields.Payments, OperateModes: cfg.Fields.OperateModes,
		Unload: cfg.Unload, SoleLoader: cfg.SoleLoader, AlVerifyFresh: cfg.AlverifyNew, GroupVerifyWindow: cfg.GroupWindow,
		RewriteLower: cfg.Rewrite.Balance == "lower", RewriteSameDay: cfg.Rewrite.SameDay,
		Budgets: recharge.Budgets{
			CardDay: cfg.Budgets.MAC1PerCardDay, DomainDay: cfg.Budgets.MAC1PerDomainDay, AlarmDay: cfg.Budgets.MAC1AlarmDay,
			SourceHour: cfg.Budgets.PasswordPerHour, PerMinute: cfg.Budgets.PasswordsPerMinute,
		},
	}
	for i := range cfg.Domains {
		d := &cfg.Domains[i]
		s.Domains = append(s.Domains, recharge.Domain{
			Code: d.Code, Merchants: d.Merchants, Depts: d.Depts, Operators: d.Operators, Channels: d.Channels,
			TrustChannel: d.Orders == "trust_channel",
		})
	}
	for i := range cfg.Schemes {
		s.Schemes = append(s.Schemes, scheme(&cfg.Schemes[i]))
	}
	return s
}

// scheme translates what config has checked.
func scheme(c *config.Scheme) recharge.Scheme {
	s := recharge.Scheme{
		ID: uint8(c.ID), CardTypes: c.Types, LoadType: mac.TypeLoadEP,
		MaxAmount: recharge.Fen(c.MaxAmount), MaxBalance: recharge.Fen(c.MaxBalance),
	}
	if c.Wallet == "ED" {
		s.LoadType = mac.TypeLoadED
	}
	set, _ := hex.DecodeString(c.Set)
	s.Set = set[0]
	for _, f := range c.Factors {
		b, _ := hex.DecodeString(f)
		s.Factors = append(s.Factors, mac.Factor(b))
	}
	return s
}

// apiOptions are the API's part of the configuration.
func apiOptions(cfg *config.Config) (*api.Options, error) {
	proxies, err := cfg.TrustedProxies()
	if err != nil {
		return nil, err
	}
	number, err := cfg.CardNumber()
	if err != nil {
		return nil, err
	}
	codes, err := contract.NewProfile(cfg.Answers.ErrorCodes, cfg.Answers.CodeWidth)
	if err != nil {
		return nil, err
	}
	l := &cfg.Limits
	o := &api.Options{
		Rules:       contract.Rules{CardNumber: number, Payments: cfg.Fields.Payments},
		Profile:     codes,
		Always200:   cfg.Answers.Always200,
		Proxies:     proxies,
		HideMetrics: cfg.Metrics != "",
		Limits: api.Limits{
			PerDomain: rate(l.PerDomain), PerSource: rate(l.PerSource), BadTokens: rate(l.BadTokens),
			InFlight: l.InFlight, Connections: l.Connections, PerAddress: l.PerAddress,
			Header: cfg.Timeouts.Header, Request: cfg.Timeouts.Request, Answer: cfg.Timeouts.Answer, Idle: cfg.Timeouts.Idle,
		},
	}
	if cfg.Answers.Language == "en" {
		o.Language = contract.English
	}
	for i := range cfg.Domains {
		o.Domains = append(o.Domains, domain(&cfg.Domains[i]))
	}
	return o, nil
}

func rate(r config.Rate) api.Rate { return api.Rate{PerSecond: r.PerSecond, Burst: r.Burst} }

func domain(c *config.Domain) api.Domain {
	d := api.Domain{
		Code: c.Code, Key: api.NewKey(c.Key.Reveal()), ChannelKeys: map[string]api.Key{},
		Token: token.Rule{All: c.AllUpper}, Unknown: c.Unknown == "signed", Endpoints: c.Endpoints,
		Terminals: c.Terminals,
	}
	if !c.Signature.Empty() {
		d.SignatureKey = api.NewKey(c.Signature.Reveal())
	}
	if c.Charset == "gbk" {
		d.Token.Charset = token.GBK
	}
	for channel, key := range c.ChannelKeys {
		d.ChannelKeys[channel] = api.NewKey(key.Reveal())
	}
	return d
}

// randomness is where serials, salts and keys come from in production.
var randomness = rand.Reader
