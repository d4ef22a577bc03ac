package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// A Config is everything that onecard can be told.
type Config struct {
	Mode        string        `yaml:"mode"` // test or production
	Listen      string        `yaml:"listen"`
	PlainRemote bool          `yaml:"plain_remote"`
	TLS         TLS           `yaml:"tls"`
	Proxies     []string      `yaml:"trusted_proxies"`
	Metrics     string        `yaml:"metrics_listen"`
	HSM         HSM           `yaml:"hsm"`
	Database    Database      `yaml:"database"`
	Secret      Secret        `yaml:"ledger_secret"`
	SecretFile  string        `yaml:"ledger_secret_file"`
	TimeZone    string        `yaml:"time_zone"`
	ClockWindow time.Duration `yaml:"clock_window"`
	Answers     Answers       `yaml:"answers"`
	Fields      Fields        `yaml:"fields"`
	Domains     []Domain      `yaml:"origin_domains"`
	Schemes     []Scheme      `yaml:"card_schemes"`
	Unload      bool          `yaml:"unload"`
	SoleLoader  bool          `yaml:"sole_loader"`
	Rewrite     Rewrite       `yaml:"rewrite"`
	AlverifyNew bool          `yaml:"alverify_fresh_serial"`
	GroupWindow time.Duration `yaml:"group_verify_window"`
	Budgets     Budgets       `yaml:"failure_budgets"`
	Limits      Limits        `yaml:"limits"`
	Timeouts    Timeouts      `yaml:"timeouts"`
	Reconcile   Reconcile     `yaml:"reconcile"`
	Log         Log           `yaml:"log"`
}

// TLS of the HTTP listener. With a client CA, clients must have a certificate.
type TLS struct {
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
	ClientCA    string `yaml:"client_ca"`
}

// On tells whether the listener speaks TLS.
func (t TLS) On() bool { return t.Certificate != "" }

// HSM is the security module: one or more daemons.
type HSM struct {
	Addresses    []string      `yaml:"addresses"`
	PlainRemote  bool          `yaml:"plain_remote"`
	TLS          ModuleTLS     `yaml:"tls"`
	Connections  int           `yaml:"connections"`
	HeaderLength int           `yaml:"header_length"`
	Timeout      time.Duration `yaml:"timeout"`
	CheckEvery   time.Duration `yaml:"check_every"`
}

// ModuleTLS is the client's side of mutual TLS toward the daemons.
type ModuleTLS struct {
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
	CA          string `yaml:"ca"`
	Name        string `yaml:"name"`
}

// Database is the ledger's home: a SQLite file or a PostgreSQL server.
type Database struct {
	SQLite      string `yaml:"sqlite"`
	Postgres    Secret `yaml:"postgres"`
	DSNFile     string `yaml:"postgres_file"`
	Connections int    `yaml:"connections"`
}

// Answers is how refusals are told.
type Answers struct {
	Language   string `yaml:"language"`
	ErrorCodes string `yaml:"error_codes"`
	CodeWidth  int    `yaml:"code_width"`
	Always200  bool   `yaml:"always_200"`
}

// Fields are what an operator may say about the fields of requests.
type Fields struct {
	CardNumber   string   `yaml:"card_number"`
	Payments     []string `yaml:"payment_types"`
	OperateModes []string `yaml:"operate_modes"`
}

// Rewrite rules. See docs/api.md.
type Rewrite struct {
	Balance string `yaml:"balance"`
	SameDay bool   `yaml:"same_day"`
}

// Budgets of failures; they are kept in the ledger.
type Budgets struct {
	MAC1PerCardDay     int `yaml:"mac1_per_card_day"`
	MAC1PerDomainDay   int `yaml:"mac1_per_domain_day"`
	MAC1AlarmDay       int `yaml:"mac1_alarm_day"`
	PasswordPerHour    int `yaml:"password_per_source_hour"`
	PasswordsPerMinute int `yaml:"passwords_per_minute"`
}

// Limits of requests; a rate of 0 is no bound.
type Limits struct {
	PerDomain   Rate `yaml:"per_domain"`
	PerSource   Rate `yaml:"per_source"`
	BadTokens   Rate `yaml:"bad_tokens"`
	InFlight    int  `yaml:"in_flight"`
	Connections int  `yaml:"connections"`
	PerAddress  int  `yaml:"connections_per_address"`
}

// A Rate is how often something may happen.
type Rate struct {
	PerSecond float64 `yaml:"per_second"`
	Burst     int     `yaml:"burst"`
}

// Timeouts of the HTTP side.
type Timeouts struct {
	Header  time.Duration `yaml:"header"`
	Request time.Duration `yaml:"request"`
	Answer  time.Duration `yaml:"answer"`
	Idle    time.Duration `yaml:"idle"`
	Drain   time.Duration `yaml:"drain"`
}

// Reconcile is the report of what is open.
type Reconcile struct {
	Every  time.Duration `yaml:"every"`  // 0: another process does it
	Verify time.Duration `yaml:"verify"` // how often all of the ledger is verified; 0: another process does it
	Older  time.Duration `yaml:"older_than"`
	Audit  []string      `yaml:"audit"`  // folders or files of the daemons' audit logs
	Settle time.Duration `yaml:"settle"` // how long an order may take to follow its MAC2
}

// Log of the process.
type Log struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"`
}

// Default is what a member is that the file does not have.
func Default() Config {
	return Config{
		Mode: "production", Listen: "127.0.0.1:8080", TimeZone: "Asia/Shanghai", ClockWindow: 10 * time.Minute,
		HSM:        HSM{Connections: 16, HeaderLength: 4, Timeout: 3 * time.Second, CheckEvery: time.Second},
		Database:   Database{Connections: 16},
		Answers:    Answers{Language: "zh", ErrorCodes: "four", CodeWidth: 6},
		SoleLoader: true,
		Fields:     Fields{Payments: []string{"01", "02", "03"}, OperateModes: []string{"01", "02"}},
		Rewrite:    Rewrite{Balance: "same"},
		Budgets:    Budgets{MAC1PerCardDay: 10, MAC1PerDomainDay: 1000, MAC1AlarmDay: 1000, PasswordPerHour: 5, PasswordsPerMinute: 60},
		Limits: Limits{
			PerDomain: Rate{2000, 4000}, BadTokens: Rate{5, 50}, InFlight: 1024, Connections: 4096, PerAddress: 1024,
		},
		Timeouts: Timeouts{
			Header: 5 * time.Second, Request: 5 * time.Second, Answer: 20 * time.Second, Idle: time.Minute, Drain: 10 * time.Second,
		},
		Reconcile: Reconcile{Every: time.Hour, Verify: 24 * time.Hour, Older: 24 * time.Hour, Audit: []string{}, Settle: time.Minute},
		Log:       Log{Level: "info", Format: "text"},
	}
}

// Read reads, completes and checks the file name.
func Read(name string) (*Config, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	cfg, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("config: %s: %w", name, err)
	}
	return cfg, nil
}

// Parse reads a configuration, with the secrets that are in files of their
// own, and checks it.
func Parse(text []byte) (*Config, error) {
	cfg := Default()
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&cfg); err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.New(plain(err))
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one document")
	}
	for i := range cfg.Schemes {
		cfg.Schemes[i].complete()
	}
	if err := cfg.readSecrets(); err != nil {
		return nil, err
	}
	return &cfg, cfg.check()
}

func (cfg *Config) readSecrets() error {
	errs := []error{
		cfg.Secret.fill("ledger_secret", cfg.SecretFile),
		cfg.Database.Postgres.fill("database.postgres", cfg.Database.DSNFile),
	}
	for i := range cfg.Domains {
		d := &cfg.Domains[i]
		errs = append(errs,
			d.Key.fill("origin_domains: "+d.Code+": key", d.KeyFile),
			d.Signature.fill("origin_domains: "+d.Code+": signature_key", d.SignFile))
	}
	return errors.Join(errs...)
}

// plain is what the decoder says, on one line, without the names of our types
// and without values: a line that does not parse may hold a secret.
func plain(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	text = strings.TrimPrefix(text, "yaml: ")
	text = strings.TrimPrefix(text, "unmarshal errors: ")
	text = ourType.ReplaceAllString(text, "")
	return quoted.ReplaceAllString(text, "value")
}

var (
	ourType = regexp.MustCompile(` in type \w+\.\w+`)
	quoted  = regexp.MustCompile("`[^`]*`")
)

// Print writes the configuration as it is in force, defaults included and
// secrets hidden.
func (cfg *Config) Print(w io.Writer) error {
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	if err := e.Encode(cfg); err != nil {
		return err
	}
	return e.Close()
}
