package pkcs11

import (
	"fmt"
	"runtime"
	"strings"
)

// A Profile is what has to be known of a make of token: its numbers, and what
// it can bear.
type Profile struct {
	Name string

	Workers      int // sessions that compute side by side
	Cache        int // card keys kept in the token, by all workers together
	Reinitialize int // derived keys after which the module is initialized afresh; 0: never

	DES Cipher // numbers of two-key 3DES
	SM4 Cipher // a vendor's numbers of SM4; zero: the token has none

	Session SessionForm // of a 3DES session key
	Layout  Layout      // of the parameter of a derivation
	XORKeys uint        // the vendor's mechanism that XORs two keys; 0: none
	Public  bool        // derived keys are not private objects: faster in SoftHSM, and readable in a core dump
}

// A Cipher is the numbers of a block cipher in a token.
type Cipher struct {
	KeyType uint
	Derive  uint // …_ECB_ENCRYPT_DATA
	CBC     uint
	Length  bool // CKA_VALUE_LEN is stated for derived keys
}

// A SessionForm is how a token holds the single DES key of a transaction.
type SessionForm uint8

// Forms of a session key.
const (
	SessionDES2 SessionForm = iota + 1 // K‖K: two-key 3DES that is single DES
	SessionDES3                        // K‖K‖K
	SessionDES                         // K; SoftHSM needs OpenSSL's legacy provider for it
)

var sessionForms = [...]string{SessionDES2: "des2-rr", SessionDES3: "des3-rrr", SessionDES: "des"}

// String gives the word of the configuration file.
func (f SessionForm) String() string { return sessionForms[f] }

// UnmarshalText accepts exactly the words that String gives.
func (f *SessionForm) UnmarshalText(text []byte) error {
	for i, s := range sessionForms {
		if s != "" && s == string(text) {
			*f = SessionForm(i)
			return nil
		}
	}
	return fmt.Errorf("unknown form of a session key %q (one of: %v)", text, sessionForms[1:])
}

// A Layout is how the data of a derivation are passed.
type Layout uint8

// Layouts.
const (
	LayoutString Layout = iota + 1 // CK_KEY_DERIVATION_STRING_DATA: pointer and length
	LayoutInline                   // ProtectServer: initial vector and data in one struct
)

var layouts = [...]string{LayoutString: "string-data", LayoutInline: "inline"}

// String gives the word of the configuration file.
func (l Layout) String() string { return layouts[l] }

// UnmarshalText accepts exactly the words that String gives.
func (l *Layout) UnmarshalText(text []byte) error {
	for i, s := range layouts {
		if s != "" && s == string(text) {
			*l = Layout(i)
			return nil
		}
	}
	return fmt.Errorf("unknown parameter layout %q (one of: %v)", text, layouts[1:])
}

// standardDES is the numbers that PKCS #11 gives two-key 3DES.
var standardDES = Cipher{KeyType: 0x14, Derive: 0x1102, CBC: 0x133}

// profiles are the makes that this package knows. Only the first two were run;
// the others are what their vendors' public documents and headers say.
var profiles = []Profile{
	{Name: "softhsm", Workers: 1, Cache: 1024, Reinitialize: 200_000},
	{Name: "nss", Workers: runtime.NumCPU(), Cache: 4096},
	{Name: "protectserver", Workers: 8, Cache: 1024, Layout: LayoutInline, XORKeys: 0x80000364},
	{Name: "luna", Workers: 8, Cache: 1024, XORKeys: 0x8000001B},
	{Name: "nshield", Workers: 8, Cache: 1024},
	{Name: "generic", Workers: 2, Cache: 1024},
}

// ProfileNamed gives a profile by its name, complete.
func ProfileNamed(name string) (Profile, error) {
	var names []string
	for _, p := range profiles {
		if p.Name == name {
			return p, p.complete()
		}
		names = append(names, p.Name)
	}
	return Profile{}, fmt.Errorf("pkcs11: no profile is named %q (there are: %s)", name, strings.Join(names, ", "))
}

// complete fills in what a profile leaves to the standard.
func (p *Profile) complete() error {
	p.Name = otherwise(p.Name, "generic")
	p.Workers = otherwise(p.Workers, 1)
	p.Cache = otherwise(p.Cache, 1024)
	p.DES = otherwise(p.DES, standardDES)
	p.Session = otherwise(p.Session, SessionDES2)
	p.Layout = otherwise(p.Layout, LayoutString)
	if int(p.Session) >= len(sessionForms) || int(p.Layout) >= len(layouts) {
		return fmt.Errorf("pkcs11: profile %s: unknown form or layout", p.Name)
	}
	if s := p.SM4; s != (Cipher{}) && (s.KeyType == 0 || s.Derive == 0 || s.CBC == 0) {
		return fmt.Errorf("pkcs11: profile %s: SM4 needs a key type, a derivation and CBC", p.Name)
	}
	return nil
}
