package main

import (
	"log/slog"
	"slices"
	"strconv"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/keystore"
	"pbochsm/protocol"
	"pbochsm/protocol/sjl05"
)

// A sjl05Config is the second dialect, which is off without an address.
type sjl05Config struct {
	Listen    string            `yaml:"listen"`
	MACSize   int               `yaml:"mac_size"`
	KeyCheck  bool              `yaml:"key_check"`
	CardFirst bool              `yaml:"card_first"`
	Padding   sjl05.Padding     `yaml:"padding"`
	Keys      map[string]string `yaml:"keys"` // identities by key index, 4 hexadecimal digits
}

// check refuses what could not be served as it was meant.
func (s *sjl05Config) check(dev bool) error {
	if s.Listen == "" {
		if s.MACSize != sjl05.DefaultMACSize || s.KeyCheck || s.CardFirst || s.Padding != 0 || len(s.Keys) > 0 {
			return cmdline.Usagef("sjl05 has settings and no listen address: it would be off")
		}
		return nil
	}
	if dev {
		return cmdline.Hint(cmdline.Usagef("--dev has no keys that the SJL05 dialect may use"),
			"make a test store with raw keys: see docs/sjl05.md")
	}
	_, err := s.dialect()
	return err
}

func (s *sjl05Config) dialect() (*sjl05.Dialect, error) {
	keys, err := s.keys()
	if err != nil {
		return nil, err
	}
	d, err := sjl05.New(sjl05.Settings{MACSize: s.MACSize, KeyCheck: s.KeyCheck, CardFirst: s.CardFirst, Padding: s.Padding, Keys: keys})
	if err != nil {
		return nil, cmdline.Usage(err)
	}
	return d, nil
}

// keys reads the table of key indices; nil if there is none.
func (s *sjl05Config) keys() (map[uint16]keystore.Ref, error) {
	if len(s.Keys) == 0 {
		return nil, nil //nolint:nilnil // no table is a setting of its own
	}
	keys := make(map[uint16]keystore.Ref, len(s.Keys))
	for digits, identity := range s.Keys {
		index, err := strconv.ParseUint(digits, 16, 16)
		if err != nil || len(digits) != 4 {
			return nil, cmdline.Usagef("sjl05.keys: index %q is not four hexadecimal digits", digits)
		}
		if _, twice := keys[uint16(index)]; twice { // in another letter case
			return nil, cmdline.Usagef("sjl05.keys: index %q is there twice", digits)
		}
		if keys[uint16(index)], err = keystore.ParseRef(identity); err != nil {
			return nil, cmdline.Usagef("sjl05.keys: index %s: %w", digits, err)
		}
	}
	return keys, nil
}

// tell warns of a dialect that cannot answer as it was meant: without a key that
// it may use, or with an index that means none.
func (s *sjl05Config) tell(log *slog.Logger, keys *keystore.Snapshot) {
	if s.Listen == "" {
		return
	}
	if !slices.ContainsFunc(keys.Keys(), func(k keystore.Key) bool { return k.Raw && k.State == keystore.StateActive }) {
		log.Warn("the SJL05 dialect will answer nothing: no active key has the right raw")
	}
	for index, identity := range s.Keys {
		ref, err := keystore.ParseRef(identity)
		if err == nil {
			_, err = keys.Find(ref)
		}
		if err != nil {
			log.Warn("a key index of the SJL05 dialect means no active key", "index", index, "key", identity, "reason", err)
		}
	}
}

// server is one that speaks the dialect, with the keys, limits and log of like.
func (s *sjl05Config) server(like *protocol.Server) (*protocol.Server, error) {
	d, err := s.dialect()
	if err != nil {
		return nil, err
	}
	return &protocol.Server{
		HSM: like.HSM, Rand: like.Rand, Now: like.Now, Logger: like.Logger,
		Format: like.Format, Limits: like.Limits, Loops: like.Loops, Dialect: d,
	}, nil
}
