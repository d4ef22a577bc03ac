package keystore

import (
	"fmt"
	"io"
	"slices"

	"filippo.io/age"
)

// Keys gives the attributes of all keys, in table order.
func (s *Store) Keys() ([]Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil {
		return nil, ErrSealed
	}
	return slices.Clone(s.keys.keys), nil
}

// Import adds the key that components combine to, by exclusive or. key says
// what it is to be; its State is pending or active, and its Index and KCV are
// filled in. In production mode a broken rule of the ceremony refuses the key;
// in test mode, where one component is enough, each comes back as a warning.
// Import clears components.
func (s *Store) Import(key Key, components []Secret) (Key, []Warning, error) {
	defer clear(components)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(); err != nil {
		return Key{}, nil, err
	}
	secret, warnings, err := s.combine(components)
	defer clear(secret[:])
	if err != nil {
		return Key{}, nil, err
	}
	key, err = s.add(key, &secret)
	if err != nil {
		return Key{}, nil, err
	}
	return key, warnings, nil
}

// combine holds components, and the key that they make, against the rules.
func (s *Store) combine(components []Secret) (Secret, []Warning, error) {
	strict := s.keys.mode.Strict()
	if len(components) == 0 || len(components) == 1 && strict {
		return Secret{}, nil, fmt.Errorf("keystore: the key %w", ErrComponents)
	}
	secret := combine(components)
	broken := append(brokenByComponents(components), brokenByKey(&secret, s.keys.rows())...)
	if strict && len(broken) > 0 {
		clear(secret[:])
		return Secret{}, nil, broken[0]
	}
	var warnings []Warning
	for _, rule := range broken {
		warnings = append(warnings, Warning{rule})
	}
	return secret, warnings, nil
}

// Generate adds a random key. A random source that yields a key which breaks a
// rule of the ceremony is not one, so in either mode that is an error.
func (s *Store) Generate(rand io.Reader, key Key) (Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(); err != nil {
		return Key{}, err
	}
	var secret Secret
	defer clear(secret[:])
	if _, err := io.ReadFull(rand, secret[:]); err != nil {
		return Key{}, fmt.Errorf("keystore: random key: %w", err)
	}
	if broken := brokenByKey(&secret, s.keys.rows()); len(broken) > 0 {
		return Key{}, broken[0]
	}
	return s.add(key, &secret)
}

// add completes key and makes it one of the store's. Without a secret it lives
// in a token, and has its check value.
func (s *Store) add(key Key, secret *Secret) (Key, error) {
	if key.State == StateRetired {
		return Key{}, fmt.Errorf("%w: a new key is pending or active", ErrState)
	}
	if key.Raw && !key.Usage.MayBeRaw() {
		return Key{}, fmt.Errorf("%w: key %s may not be raw: it would decipher every key that is written under it", ErrAttribute, key.Ref)
	}
	if s.keys.next > maxIndex {
		return Key{}, ErrFull
	}
	var err error
	if key.Home.InToken() != (secret == nil) {
		return Key{}, fmt.Errorf("%w: a key is either in the file or in a token", ErrHome)
	}
	if secret == nil {
		secret = new(Secret)
	} else if key.KCV, err = secret.KCV(key.Cipher); err != nil {
		return Key{}, err
	}
	key.Index = s.keys.next
	head := s.keys.header
	head.next++
	if err := s.edit(head, append(s.keys.rows(), row{key, secret})); err != nil {
		return Key{}, err
	}
	return key, nil
}

// Activate puts a pending key into use.
func (s *Store) Activate(ref Ref) error { return s.move(ref, StatePending, StateActive) }

// Retire takes an active key out of use, for good.
func (s *Store) Retire(ref Ref) error { return s.move(ref, StateActive, StateRetired) }

func (s *Store) move(ref Ref, from, to State) error {
	return s.change(ref, func(rows []row, i int) ([]row, error) {
		if rows[i].State != from {
			return nil, fmt.Errorf("%w: %s is %s, not %s", ErrState, ref, rows[i].State, from)
		}
		rows[i].State = to
		return rows, nil
	})
}

// Restrict takes the rights Raw and Export from a key, for good: there is no
// way to give them to a key that exists.
func (s *Store) Restrict(ref Ref) error {
	return s.change(ref, func(rows []row, i int) ([]row, error) {
		if !rows[i].Raw {
			return nil, fmt.Errorf("%w: %s has no right that could be taken", ErrState, ref)
		}
		rows[i].Raw, rows[i].Export = false, false
		return rows, nil
	})
}

// Delete removes a pending or retired key. Its index is not given out again.
func (s *Store) Delete(ref Ref) error {
	return s.change(ref, func(rows []row, i int) ([]row, error) {
		if rows[i].State == StateActive {
			return nil, fmt.Errorf("%w: %s is active; retire it first", ErrState, ref)
		}
		return slices.Delete(rows, i, i+1), nil
	})
}

// change edits the rows around the key that ref names.
func (s *Store) change(ref Ref, edited func(rows []row, i int) ([]row, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(); err != nil {
		return err
	}
	h, ok := s.keys.byRef[ref]
	if !ok {
		return fmt.Errorf("%w: %s", ErrNotFound, ref)
	}
	rows, err := edited(s.keys.rows(), int(h))
	if err != nil {
		return err
	}
	return s.edit(s.keys.header, rows)
}

// edit makes a snapshot of rows the contents.
func (s *Store) edit(head header, rows []row) error {
	keys, err := newSnapshot(head, rows)
	if err != nil {
		return err
	}
	s.replace(keys)
	return nil
}

// ChangePassphrase makes passphrase the one that opens the store after the
// next Save. It clears passphrase. The storage master key stays: see the
// package comment for what that means after a leak.
func (s *Store) ChangePassphrase(rand io.Reader, passphrase []byte) error {
	defer clear(passphrase)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(); err != nil {
		return err
	}
	wrap, err := wrapMaster(rand, passphrase, standardCost, s.master)
	if err != nil {
		return err
	}
	wraps := []*age.Stanza{wrap}
	for _, w := range s.wraps {
		if w.Type != stanzaPassphrase {
			wraps = append(wraps, w)
		}
	}
	s.wraps = wraps
	return nil
}
