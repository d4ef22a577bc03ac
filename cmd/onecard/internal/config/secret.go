package config

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
)

// Hidden stands for a secret in everything that is printed.
const Hidden = "(hidden)"

// A Secret is text that no log, error or listing may hold. Reveal gives it.
type Secret struct{ text string }

// NewSecret wraps text.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal gives the text to who needs it.
func (s Secret) Reveal() string { return s.text }

// Empty tells whether there is none.
func (s Secret) Empty() bool { return s.text == "" }

// String hides the text.
func (s Secret) String() string {
	if s.Empty() {
		return ""
	}
	return Hidden
}

// GoString hides the text from %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue hides the text from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the text from every encoder.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the text, as the file has it.
func (s *Secret) UnmarshalText(text []byte) error {
	s.text = string(text)
	return nil
}

// fill reads a secret from the file name, unless it stands in the
// configuration itself. One line is taken, without its end.
func (s *Secret) fill(member, name string) error {
	if name == "" {
		return nil
	}
	if !s.Empty() {
		return fmt.Errorf("%s and %s_file are both set", member, member)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("%s_file: %w", member, err)
	}
	line := strings.TrimSpace(string(text))
	if line == "" || strings.ContainsAny(line, "\r\n") {
		return fmt.Errorf("%s_file: %s does not hold one line", member, name)
	}
	s.text = line
	return nil
}
