package pkcs11

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// A Config says which token to use and how.
type Config struct {
	Name     string // what the catalogue calls the token; empty: whatever it says
	Module   string // path of the PKCS#11 library
	Reserved string // argument of the module's initialization; NSS softokn wants one

	// Exactly one of these selects the token.
	Label  string
	Serial string
	Slot   *uint

	// PIN gives the user PIN, afresh for every login; it is cleared after use.
	PIN func() ([]byte, error)

	Profile Profile
	TAC     TACWay // the worst way to fold TAC keys that is accepted; 0: WayHost

	Workers      int           // sessions that compute; 0: as the profile says
	Cache        int           // card keys kept in the token; 0: as the profile says; negative: none
	Reinitialize int           // derived keys between planned re-initializations; 0: as the profile says; negative: never
	Deadline     time.Duration // the longest that a chain may take; 0: 2 s
	Abandon      int           // calls that may hang at a time before the token counts as gone; 0: 4

	Log *slog.Logger // faults and recoveries; nil: nowhere
}

// A TACWay is how the key of a TAC, left half XOR right half of the card's
// key, comes to be. A greater one shows the host less.
type TACWay uint8

// Ways to fold a TAC key.
const (
	// WayHost: both halves of this one card's key are read, folded and put back.
	WayHost TACWay = iota + 1
	// WayUnwrap: the right half is read; the left one is wrapped with AES-CBC
	// and unwrapped with the right one as initial vector.
	WayUnwrap
	// WayData: the right half is read and given to XOR_BASE_AND_DATA.
	WayData
	// WayVendor: a vendor's mechanism XORs two keys; nothing is read.
	WayVendor
	// WayNone: TAC keys are not folded; such chains are refused.
	WayNone
)

var tacWays = [...]string{WayHost: "host", WayUnwrap: "half-unwrap", WayData: "half-xor", WayVendor: "vendor", WayNone: "none"}

// String gives the word used in logs and in the configuration file.
func (w TACWay) String() string {
	if w == 0 || int(w) >= len(tacWays) {
		return "unknown"
	}
	return tacWays[w]
}

// MarshalText is String.
func (w TACWay) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText accepts the words that String gives, and "half" for the less
// demanding of the two ways that show one half.
func (w *TACWay) UnmarshalText(text []byte) error {
	if string(text) == "half" {
		*w = WayUnwrap
		return nil
	}
	for i, s := range tacWays {
		if s != "" && s == string(text) {
			*w = TACWay(i)
			return nil
		}
	}
	return fmt.Errorf("unknown way %q (one of: %v)", text, tacWays[1:])
}

// Exposes tells in words what the host sees of a card's TAC key.
func (w TACWay) Exposes() string {
	switch w {
	case WayHost:
		return "both halves of each card's TAC key pass through the host"
	case WayUnwrap, WayData:
		return "the right half of each card's TAC key passes through the host"
	case WayVendor:
		return "nothing of a TAC key leaves the token"
	}
	return "TACs are refused"
}

// Errors of a Config.
var (
	errModule = errors.New("pkcs11: no module is configured")
	errPIN    = errors.New("pkcs11: no PIN source is configured")
	errSelect = errors.New("pkcs11: exactly one of label, serial and slot must select the token")
)

// complete checks c and fills in what it leaves open.
func (c Config) complete() (Config, error) {
	selectors := 0
	for _, given := range []bool{c.Label != "", c.Serial != "", c.Slot != nil} {
		if given {
			selectors++
		}
	}
	switch {
	case c.Module == "":
		return c, errModule
	case c.PIN == nil:
		return c, errPIN
	case selectors != 1:
		return c, errSelect
	}
	if err := c.Profile.complete(); err != nil {
		return c, err
	}
	c.Workers = otherwise(c.Workers, c.Profile.Workers)
	c.Cache = otherwise(c.Cache, c.Profile.Cache)
	c.Reinitialize = otherwise(c.Reinitialize, c.Profile.Reinitialize)
	c.Deadline = otherwise(c.Deadline, 2*time.Second)
	c.Abandon = otherwise(c.Abandon, 4)
	c.TAC = otherwise(c.TAC, WayHost)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

func otherwise[T comparable](v, without T) T {
	var zero T
	if v == zero {
		return without
	}
	return v
}
