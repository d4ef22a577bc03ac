package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"go.yaml.in/yaml/v3"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/cmd/pbochsm/internal/audit"
	"pbochsm/protocol/sjl05"
)

// A config is what `serve` can be told, by a file, by flags, or both; flags
// win. A member of the file that is not one of these is an error.
type config struct {
	Data           string        `yaml:"data"`
	PassphraseFile string        `yaml:"passphrase_file"`
	MinEpoch       uint64        `yaml:"min_epoch"`
	Listen         string        `yaml:"listen"`
	PlainRemote    bool          `yaml:"plain_remote"`
	TLS            tlsConfig     `yaml:"tls"`
	HeaderLength   int           `yaml:"header_length"`
	MaxFrame       int           `yaml:"max_frame"`
	Limits         limitConfig   `yaml:"limits"`
	Timeouts       timeoutConfig `yaml:"timeouts"`
	Audit          auditConfig   `yaml:"audit"`
	Serials        string        `yaml:"terminal_serials"`
	Log            logConfig     `yaml:"log"`
	Tokens         []tokenConfig `yaml:"tokens"`
	SJL05          sjl05Config   `yaml:"sjl05"`
	dev            bool
}

type tlsConfig struct {
	Listen      string `yaml:"listen"`
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
	ClientCA    string `yaml:"client_ca"`
}

type limitConfig struct {
	Connections int `yaml:"connections"`
	PerClient   int `yaml:"connections_per_client"`
	Handshakes  int `yaml:"handshakes"`
}

type timeoutConfig struct {
	Handshake time.Duration `yaml:"handshake"`
	Frame     time.Duration `yaml:"frame"`
	Idle      time.Duration `yaml:"idle"`
	Write     time.Duration `yaml:"write"`
	Wait      time.Duration `yaml:"wait"`
	Drain     time.Duration `yaml:"drain"`
}

// An auditConfig says where the audit log is kept; without a directory there is
// none, and no failure is counted.
type auditConfig struct {
	Directory string `yaml:"directory"`
	HeadFile  string `yaml:"head_file"`
	Segment   int    `yaml:"segment_mib"`
	Failures  int    `yaml:"failures_per_card"`
	Zone      string `yaml:"time_zone"`
}

type logConfig struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"`
}

// defaults are those that docs/operations.md shows.
func defaults() config {
	return config{
		Listen:       "127.0.0.1:1500",
		HeaderLength: 4,
		MaxFrame:     16 << 10,
		Limits:       limitConfig{Connections: 16384, PerClient: 12288, Handshakes: 256},
		Timeouts: timeoutConfig{
			Handshake: 5 * time.Second, Frame: 2 * time.Second, Idle: time.Minute,
			Write: 5 * time.Second, Wait: 5 * time.Second, Drain: 10 * time.Second,
		},
		Audit: auditConfig{Segment: audit.DefaultSegment >> 20, Failures: audit.DefaultFailures, Zone: "Asia/Shanghai"},
		SJL05: sjl05Config{MACSize: sjl05.DefaultMACSize},
		Log:   logConfig{Level: "info", Format: "text"},
	}
}

// readConfig merges defaults, the file and the flags of c, and checks the
// result.
func readConfig(c *cli.Context) (config, error) {
	cfg := defaults()
	if name := c.String("config"); name != "" {
		if err := cfg.readFile(name); err != nil {
			return cfg, err
		}
	}
	cfg.readFlags(c)
	return cfg, cfg.check()
}

func (cfg *config) readFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return cmdline.Usage(fmt.Errorf("config: %w", err))
	}
	defer f.Close()
	d := yaml.NewDecoder(f)
	d.KnownFields(true)
	if err := d.Decode(cfg); err != nil && !errors.Is(err, io.EOF) {
		return cmdline.Usagef("config: %s: %s", name, settingError(err))
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return cmdline.Usagef("config: %s: more than one document", name)
	}
	return nil
}

// settingError is what the decoder says, without the names of our types.
func settingError(err error) string {
	text := strings.TrimPrefix(oneLine(err.Error()), "yaml: unmarshal errors: ")
	return goType.ReplaceAllString(text, "")
}

var goType = regexp.MustCompile(` in type main\.\w+`)

func (cfg *config) readFlags(c *cli.Context) {
	texts := map[string]*string{
		"data": &cfg.Data, "passphrase-file": &cfg.PassphraseFile, "listen": &cfg.Listen,
		"tls-listen": &cfg.TLS.Listen, "tls-cert": &cfg.TLS.Certificate, "tls-key": &cfg.TLS.Key,
		"tls-client-ca": &cfg.TLS.ClientCA, "log-level": &cfg.Log.Level, "log-format": &cfg.Log.Format,
		"audit": &cfg.Audit.Directory, "audit-head": &cfg.Audit.HeadFile, "sjl05": &cfg.SJL05.Listen,
		"terminal-serials": &cfg.Serials,
	}
	for name, to := range texts {
		if c.IsSet(name) {
			*to = c.String(name)
		}
	}
	if c.IsSet("header-length") {
		cfg.HeaderLength = c.Int("header-length")
	}
	if c.IsSet("min-epoch") {
		cfg.MinEpoch = c.Uint64("min-epoch")
	}
	if c.IsSet("plain-remote") {
		cfg.PlainRemote = c.Bool("plain-remote")
	}
	cfg.dev = c.Bool("dev")
}

// check refuses what cannot be served, with one line about the first fault.
func (cfg *config) check() error {
	if cfg.dev && cfg.Data != "" {
		return cmdline.Usagef("--dev serves the published test keys: it takes no --data")
	}
	if !cfg.dev && cfg.Data == "" {
		return cmdline.Hint(cmdline.Usagef("no keystore: --data is missing"), "to try the published test keys, use --dev")
	}
	if cfg.Listen == "" && cfg.TLS.Listen == "" && cfg.SJL05.Listen == "" {
		return cmdline.Usagef("nothing to listen on")
	}
	if cfg.HeaderLength < 0 || cfg.HeaderLength > 255 {
		return cmdline.Usagef("header length %d is not within 0 to 255", cfg.HeaderLength)
	}
	if cfg.MaxFrame < 512 || cfg.MaxFrame > 65535 {
		return cmdline.Usagef("max_frame %d is not within 512 to 65535", cfg.MaxFrame)
	}
	if err := cfg.checkReach(); err != nil {
		return err
	}
	if cfg.TLS.Listen != "" && (cfg.TLS.Certificate == "" || cfg.TLS.Key == "" || cfg.TLS.ClientCA == "") {
		return cmdline.Usagef("TLS needs a certificate, its key and the CA of the clients")
	}
	if err := cfg.SJL05.check(cfg.dev); err != nil {
		return err
	}
	if err := cfg.checkTokens(); err != nil {
		return err
	}
	if err := cfg.Audit.check(cfg.dev); err != nil {
		return err
	}
	return cfg.checkNumbers()
}

func (a auditConfig) check(dev bool) error {
	switch {
	case a.Directory == "" && a.HeadFile != "":
		return cmdline.Usagef("the head of an audit log is to be kept, but audit.directory is missing")
	case a.Directory != "" && dev:
		return cmdline.Usagef("--dev keeps no audit log: it would be sealed with a published key")
	case a.Segment < 1:
		return cmdline.Usagef("audit.segment_mib must be at least 1")
	case a.Failures < 0:
		return cmdline.Usagef("audit.failures_per_card must not be negative")
	}
	if _, err := time.LoadLocation(a.Zone); err != nil {
		return cmdline.Usagef("audit.time_zone %q is unknown", a.Zone)
	}
	return nil
}

// checkReach keeps plain TCP on this machine unless it is asked for in words,
// and published keys always.
func (cfg *config) checkReach() error {
	for _, addr := range []string{cfg.Listen, cfg.TLS.Listen, cfg.SJL05.Listen} {
		if addr == "" {
			continue
		}
		local, err := isLoopback(addr)
		if err != nil {
			return cmdline.Usage(err)
		}
		if !local && cfg.dev {
			return cmdline.Usagef("%s is not a loopback address: published keys stay on this machine", addr)
		}
		if !local && addr != cfg.TLS.Listen && !cfg.PlainRemote {
			hint := "use --tls-listen, or say --plain-remote if the network itself is protected"
			if addr == cfg.SJL05.Listen {
				hint = "the SJL05 dialect has no TLS: say --plain-remote if the network itself is protected, or put a tunnel before it"
			}
			return cmdline.Hint(cmdline.Usagef("%s is not a loopback address, and plain TCP is neither secret nor authenticated", addr), "%s", hint)
		}
	}
	return nil
}

func isLoopback(addr string) (bool, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false, fmt.Errorf("address %q: want HOST:PORT", addr)
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip.IsLoopback(), nil
}

func (cfg *config) checkNumbers() error {
	for _, l := range []struct {
		name string
		n    int
	}{
		{"connections", cfg.Limits.Connections},
		{"connections_per_client", cfg.Limits.PerClient},
		{"handshakes", cfg.Limits.Handshakes},
	} {
		if l.n < 1 {
			return cmdline.Usagef("limits.%s must be at least 1", l.name)
		}
	}
	for _, t := range []struct {
		name string
		d    time.Duration
	}{
		{"handshake", cfg.Timeouts.Handshake},
		{"frame", cfg.Timeouts.Frame},
		{"idle", cfg.Timeouts.Idle},
		{"write", cfg.Timeouts.Write},
		{"wait", cfg.Timeouts.Wait},
		{"drain", cfg.Timeouts.Drain},
	} {
		if t.d <= 0 {
			return cmdline.Usagef("timeouts.%s must be longer than nothing", t.name)
		}
	}
	return nil
}
