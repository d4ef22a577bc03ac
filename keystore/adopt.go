package keystore

import "fmt"

// Combine is what a ceremony makes of components, by the rules of Import: the
// key itself, for whoever puts it into a token. The caller clears it. Combine
// clears components.
func (s *Store) Combine(components []Secret) (Secret, []Warning, error) {
	defer clear(components)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(); err != nil {
		return Secret{}, nil, err
	}
	return s.combine(components)
}

// Adopt enters a key that lives in a token: its Home says where, its KCV is
// what the token answered. State and Index are as for Import. In production mode
// a key with the check value of another one is taken for it, and refused.
func (s *Store) Adopt(key Key) (Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(); err != nil {
		return Key{}, err
	}
	for _, other := range s.keys.keys {
		if s.keys.mode.Strict() && other.Cipher == key.Cipher && other.KCV == key.KCV {
			return Key{}, fmt.Errorf("keystore: the key %w, %s, by its check value", ErrReused, other.Ref)
		}
	}
	return s.add(key, nil)
}
