package keystore

import (
	"fmt"
	"strings"
)

// names is a closed list of words for a small integer type that starts at 1.
type names []string

func (n names) has(v uint8) bool { return v > 0 && int(v) <= len(n) }

func (n names) word(v uint8) string {
	if !n.has(v) {
		return fmt.Sprintf("%d?", v)
	}
	return n[v-1]
}

func (n names) value(what, word string) (uint8, error) {
	for i, s := range n {
		if s == word {
			return uint8(i + 1), nil
		}
	}
	return 0, fmt.Errorf("unknown %s %q (one of: %s)", what, word, strings.Join(n, ", "))
}

var (
	usageNames = names{
		"load", "unload", "purchase", "tac", "overdraft", "unlock", "pin-unblock", "pin-reload",
		"maintenance", "app-block", "app-unblock", "card-control", "authenticate", "mac", "key-control",
	}
	cipherNames = names{"3des", "sm4"}
	stateNames  = names{"pending", "active", "retired"}
)

// Usages lists the words of every usage, in order.
func Usages() []string { return append([]string(nil), usageNames...) }

// String gives the word used on the command line and in listings.
func (u Usage) String() string { return usageNames.word(uint8(u)) }

// MarshalText is String.
func (u Usage) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText accepts exactly the words of Usages.
func (u *Usage) UnmarshalText(b []byte) error {
	v, err := usageNames.value("usage", string(b))
	*u = Usage(v)
	return err
}

// String gives the word used on the command line and in listings.
func (c Cipher) String() string { return cipherNames.word(uint8(c)) }

// MarshalText is String.
func (c Cipher) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText accepts exactly the words that String gives.
func (c *Cipher) UnmarshalText(b []byte) error {
	v, err := cipherNames.value("cipher", string(b))
	*c = Cipher(v)
	return err
}

// String gives the word used on the command line and in listings.
func (s State) String() string { return stateNames.word(uint8(s)) }

// MarshalText is String.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText accepts exactly the words that String gives.
func (s *State) UnmarshalText(b []byte) error {
	v, err := stateNames.value("state", string(b))
	*s = State(v)
	return err
}
