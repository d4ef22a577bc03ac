package keystore

import (
	"io"

	"filippo.io/age"
)

// CreateCheap is Create with a pass-phrase that costs next to nothing, for
// tests that open a store thousands of times.
func CreateCheap(rand io.Reader, dir string, passphrase []byte, mode Mode) (*Store, error) {
	return create(rand, dir, passphrase, mode, cost{memory: 8, passes: 1, threads: 1})
}

// OpenBytes opens a file with the storage master key of s, as Reload does.
func (s *Store) OpenBytes(file []byte) (*Snapshot, error) {
	payload, err := (&opener{master: s.master}).open(file)
	if err != nil {
		return nil, err
	}
	return decode(s.master, payload)
}

// OpenBytes opens a file by pass-phrase, as Open does.
func OpenBytes(file, passphrase []byte) (*Snapshot, error) {
	master, err := newMasterKey()
	if err != nil {
		return nil, err
	}
	defer master.destroy()
	payload, err := (&opener{master: master, passphrase: passphrase}).open(file)
	if err != nil {
		return nil, err
	}
	return decode(master, payload)
}

// Decode reads a payload with the storage master key of s.
func (s *Store) Decode(payload []byte) (*Snapshot, error) { return decode(s.master, payload) }

// Encode makes the payload of keys with the storage master key of s.
func (s *Store) Encode(rand io.Reader, keys *Snapshot) ([]byte, error) {
	return encode(rand, s.master, keys)
}

// SealPayload makes a payload from attributes that no Snapshot would have.
func (s *Store) SealPayload(rand io.Reader, framed, secrets []byte) ([]byte, error) {
	return s.master.seal(rand, labelSecrets, framed, secrets, framed)
}

// Master copies the storage master key.
func (s *Store) Master() []byte { return append([]byte(nil), s.master.bytes()...) }

// SetNext makes index the next to be given out.
func (s *Store) SetNext(index uint16) { s.keys.next = index }

// AddWrap adds a stanza, as another way to unlock would.
func (s *Store) AddWrap(w *age.Stanza) { s.wraps = append(s.wraps, w) }

// Destroyed tells whether the key bytes of s are gone.
func (s *Snapshot) Destroyed() bool { return s.vault.pages.Load() == nil }

// WeakKeys lists the weak and semi-weak DES keys.
func WeakKeys() [][8]byte { return weakKeys }

// UnmarshalAttributes gives the keys of a JSON part, and the text that is made
// of them again.
func UnmarshalAttributes(text []byte) (keys []Key, again []byte, err error) {
	head, keys, err := unmarshalAttributes(text)
	if err != nil {
		return nil, nil, err
	}
	again, err = marshalAttributes(head, keys)
	return keys, again, err
}
