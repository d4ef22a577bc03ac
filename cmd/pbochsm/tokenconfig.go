package main

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/pkcs11"
	"pbochsm/pkcs11/uri"
)

// A tokenConfig is a PKCS#11 token as the file of settings has it. See
// docs/pkcs11.md.
type tokenConfig struct {
	Name      string `yaml:"name"`
	URI       string `yaml:"uri"`
	Module    string `yaml:"module"`
	InitArgs  string `yaml:"init_args"`
	Label     string `yaml:"label"`
	Serial    string `yaml:"serial"`
	Slot      *uint  `yaml:"slot"`
	PINSource string `yaml:"pin_source"`
	Profile   string `yaml:"profile"`

	SessionKey pkcs11.SessionForm `yaml:"session_key"`
	Layout     pkcs11.Layout      `yaml:"layout"`
	XOR        uint               `yaml:"xor_mechanism"`
	Public     bool               `yaml:"public_derived_keys"`
	SM4        cipherConfig       `yaml:"sm4"`

	TAC          pkcs11.TACWay `yaml:"tac"`
	Workers      int           `yaml:"workers"`
	Cache        int           `yaml:"cache"`
	Reinitialize int           `yaml:"reinitialize_after"`
	Deadline     time.Duration `yaml:"deadline"`
	Abandon      int           `yaml:"abandon"`
}

// A cipherConfig is a vendor's numbers for a cipher.
type cipherConfig struct {
	KeyType     uint `yaml:"key_type"`
	Derive      uint `yaml:"derive"`
	CBC         uint `yaml:"cbc"`
	ValueLength bool `yaml:"value_length"`
}

// takeURI fills in what an RFC 7512 URI says, and gives the URI for its object.
func (t *tokenConfig) takeURI(text string) (uri.URI, error) {
	u, err := uri.Parse(text)
	if err != nil {
		return u, cmdline.Usage(err)
	}
	if u.Manufacturer != "" || u.Model != "" {
		return u, cmdline.Usagef("uri: a token is selected by its label (token), serial or slot-id here")
	}
	if u.Type != "" && u.Type != "secret-key" {
		return u, cmdline.Usagef("uri: only objects of type secret-key are of use here")
	}
	t.Label, t.Serial = or(u.Token, t.Label), or(u.Serial, t.Serial)
	t.Module, t.PINSource = or(u.ModulePath, t.Module), or(u.PINSource, t.PINSource)
	if u.Slot != nil {
		t.Slot = u.Slot
	}
	return u, nil
}

func or(text, otherwise string) string {
	if text != "" {
		return text
	}
	return otherwise
}

// settings are t for package pkcs11, the PIN aside.
func (t *tokenConfig) settings(log *slog.Logger) (pkcs11.Config, error) {
	if t.Module == "" {
		return pkcs11.Config{}, t.fault("no module: say where the token's PKCS#11 library is")
	}
	if !filepath.IsAbs(t.Module) {
		return pkcs11.Config{}, t.fault("module %s is not an absolute path", t.Module)
	}
	if err := trustworthy(t.Module); err != nil {
		return pkcs11.Config{}, fmt.Errorf("token%s: module: %w", t.quoted(), err)
	}
	selectors := 0
	for _, given := range []bool{t.Label != "", t.Serial != "", t.Slot != nil} {
		if given {
			selectors++
		}
	}
	if selectors != 1 {
		return pkcs11.Config{}, t.fault("exactly one of label, serial and slot must select it")
	}
	profile, err := pkcs11.ProfileNamed(or(t.Profile, "generic"))
	if err != nil {
		return pkcs11.Config{}, t.fault("%s", err)
	}
	if t.SessionKey != 0 {
		profile.Session = t.SessionKey
	}
	if t.Layout != 0 {
		profile.Layout = t.Layout
	}
	if t.XOR != 0 {
		profile.XORKeys = t.XOR
	}
	if t.SM4 != (cipherConfig{}) {
		profile.SM4 = pkcs11.Cipher{KeyType: t.SM4.KeyType, Derive: t.SM4.Derive, CBC: t.SM4.CBC, Length: t.SM4.ValueLength}
	}
	profile.Public = profile.Public || t.Public
	return pkcs11.Config{
		Name: t.Name, Module: t.Module, Reserved: t.InitArgs,
		Label: t.Label, Serial: t.Serial, Slot: t.Slot, Profile: profile, TAC: t.TAC,
		Workers: t.Workers, Cache: t.Cache, Reinitialize: t.Reinitialize,
		Deadline: t.Deadline, Abandon: t.Abandon, Log: log,
	}, nil
}

func (t *tokenConfig) fault(format string, a ...any) error {
	return cmdline.Usagef("token%s: "+format, append([]any{t.quoted()}, a...)...)
}

// quoted is the name of the token, if it has one, for an error.
func (t *tokenConfig) quoted() string {
	if t.Name == "" {
		return ""
	}
	return fmt.Sprintf(" %q", t.Name)
}

var tokenName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// checkTokens refuses tokens that cannot be told apart, and those that a daemon
// could not log in to again.
func (cfg *config) checkTokens() error {
	var names, modules []string
	for i := range cfg.Tokens {
		t := &cfg.Tokens[i]
		if t.URI != "" {
			if _, err := t.takeURI(t.URI); err != nil {
				return err
			}
			t.URI = ""
		}
		switch {
		case t.Name == "":
			return cmdline.Usagef("tokens: entry %d has no name", i+1)
		case !tokenName.MatchString(t.Name):
			return cmdline.Usagef("tokens: the name of entry %d is not 1 to 64 letters, digits, dots, hyphens and underscores", i+1)
		case slices.Contains(names, t.Name):
			return cmdline.Usagef("tokens: two are named %q", t.Name)
		case t.Module != "" && slices.Contains(modules, t.Module):
			return cmdline.Hint(t.fault("its module serves another token already, and can serve one in a process"), "run a daemon for each of them")
		case t.PINSource == "" || t.PINSource == "-":
			return cmdline.Hint(t.fault("no pin_source: a daemon logs in again after a fault, when nobody is there to ask"), "a file of the daemon's alone; under systemd, a credential")
		case t.Deadline < 0 || t.Workers < 0 || t.Abandon < 0:
			return t.fault("deadline, workers and abandon are not negative")
		}
		if _, err := t.settings(nil); err != nil {
			return err
		}
		names, modules = append(names, t.Name), append(modules, t.Module)
	}
	if cfg.dev && len(cfg.Tokens) > 0 {
		return cmdline.Usagef("--dev serves the published test keys: it takes no tokens")
	}
	return nil
}
