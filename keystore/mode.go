package keystore

// A Mode says what a store is for. It is sealed with the keys: a test store
// cannot be turned into a production store.
type Mode uint8

// Modes.
const (
	ModeTest       Mode = iota + 1 // published keys and single components are taken, with a warning
	ModeProduction                 // weak, repeated and published keys are refused, and raw ones
	ModeMigration                  // as in production, but keys may be raw: for the time of a move from another module
)

var modeNames = names{"test", "production", "migration"}

// String gives the word used on the command line and in listings.
func (m Mode) String() string { return modeNames.word(uint8(m)) }

// Strict tells whether the rules of the ceremony bind: a broken one refuses a
// key, instead of being a warning.
func (m Mode) Strict() bool { return m != ModeTest }

// MarshalText is String.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText accepts exactly the words that String gives.
func (m *Mode) UnmarshalText(b []byte) error {
	v, err := modeNames.value("mode", string(b))
	*m = Mode(v)
	return err
}
