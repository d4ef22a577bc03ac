package keystore

import (
	"fmt"
	"slices"
	"sync/atomic"
)

// A Handle is the dense index of a key in one Snapshot. It means nothing in
// another.
type Handle uint16

const maxKeys = 1 << 16

// A Snapshot is an immutable set of keys. Readers hold one for the length of a
// batch, so that a reload never mixes old and new keys within a request. Its
// key bytes live in locked memory and are cleared when the last holder of a
// replaced snapshot lets go.
type Snapshot struct {
	header
	keys  []Key
	byRef map[Ref]Handle
	bySet [256]*Profile // those of the header, nil where a set has none
	vault *vault

	holders atomic.Int64 // readers, plus one while the snapshot is current
}

// A header is what a snapshot says of its keys as a whole.
type header struct {
	mode  Mode
	epoch uint64
	next  uint16 // the lowest index that was never given to a key
	check KCV

	profiles []Profile // by rising set
}

// A row is a key on its way from one snapshot into the next.
type row struct {
	Key
	secret *Secret // not owned
}

// NewSnapshot copies entries into a fresh snapshot, and computes the check
// values that they lack. The identities must be distinct, and so must the
// indices other than 0. A set has one profile at most; one without computes as
// the profile plain says. The caller still owns, and should clear, the entries.
func NewSnapshot(mode Mode, epoch uint64, check KCV, entries []Entry, profiles ...Profile) (*Snapshot, error) {
	head := header{mode: mode, epoch: epoch, check: check, next: 1, profiles: sortProfiles(profiles)}
	rows := make([]row, len(entries))
	for i := range entries {
		rows[i] = row{entries[i].Key, &entries[i].Secret}
		head.next = max(head.next, entries[i].Index+1)
		if rows[i].KCV != (KCV{}) || rows[i].Home.InToken() {
			continue
		}
		var err error
		if rows[i].KCV, err = entries[i].Secret.KCV(entries[i].Cipher); err != nil {
			return nil, err
		}
	}
	return newSnapshot(head, rows)
}

// newSnapshot copies rows, once it has found them sound.
func newSnapshot(head header, rows []row) (*Snapshot, error) {
	if !modeNames.has(uint8(head.mode)) {
		return nil, fmt.Errorf("%w: mode", ErrAttribute)
	}
	if len(rows) > maxKeys {
		return nil, fmt.Errorf("%w: %d keys in one snapshot", ErrAttribute, len(rows))
	}
	s := &Snapshot{header: head, keys: make([]Key, len(rows)), byRef: make(map[Ref]Handle, len(rows))}
	if err := s.takeProfiles(); err != nil {
		return nil, err
	}
	places, homes := make(map[uint16]bool, len(rows)), make(map[Home]bool)
	for i := range rows {
		k := rows[i].Key
		if err := k.check(); err != nil {
			return nil, fmt.Errorf("%w of key %s", err, k.Ref)
		}
		if k.Raw && s.mode == ModeProduction {
			return nil, fmt.Errorf("%w: key %s may not be raw in a production store", ErrAttribute, k.Ref)
		}
		if _, twice := s.byRef[k.Ref]; twice {
			return nil, fmt.Errorf("%w: %s", ErrDuplicate, k.Ref)
		}
		if err := s.Profile(k.Set).admits(&k); err != nil {
			return nil, err
		}
		if k.Index != 0 && places[k.Index] {
			return nil, fmt.Errorf("%w: index %d", ErrDuplicate, k.Index)
		}
		if k.Home.InToken() && homes[k.Home] {
			return nil, fmt.Errorf("%w: %s in the token", ErrDuplicate, k.Home)
		}
		if k.Home.InToken() && *rows[i].secret != (Secret{}) {
			return nil, fmt.Errorf("%w of key %s: it has bytes, but lives in a token", ErrHome, k.Ref)
		}
		places[k.Index], homes[k.Home] = true, true
		s.keys[i], s.byRef[k.Ref] = k, Handle(i)
	}
	var err error
	if s.vault, err = newVault(len(rows) * secretSize); err != nil {
		return nil, err
	}
	for i := range rows {
		*s.vault.secret(Handle(i)) = *rows[i].secret
	}
	s.holders.Store(1)
	return s, nil
}

// rows gives the keys for the making of another snapshot, with secrets that
// last as long as s is held.
func (s *Snapshot) rows() []row {
	rows := make([]row, len(s.keys), len(s.keys)+1)
	for i := range rows {
		rows[i] = row{s.keys[i], s.vault.secret(Handle(i))}
	}
	return rows
}

// At gives the active key at a place of the key table. Where there is none it
// says whether the place is above all keys, ErrIndex, or was never given out or
// is empty again, ErrNotFound; a key that is not active is ErrRetired.
func (s *Snapshot) At(index uint16) (Handle, error) {
	err := ErrIndex
	for i := range s.keys {
		switch k := &s.keys[i]; {
		case k.Index > index:
			err = ErrNotFound
		case k.Index < index:
		case k.State != StateActive:
			return 0, ErrRetired
		default:
			return Handle(i), nil
		}
	}
	return 0, err
}

// Find gives the one active key with this identity. Where there is none it
// says how the request failed to fit: ErrRetired if the key exists but is not
// active, ErrAlgorithm if only the algorithm identifier differs, ErrUsage if
// only the usage does, otherwise ErrNotFound.
func (s *Snapshot) Find(ref Ref) (Handle, error) {
	h, ok := s.byRef[ref]
	if !ok {
		return 0, s.nearest(ref)
	}
	if s.keys[h].State != StateActive {
		return 0, ErrRetired
	}
	return h, nil
}

func (s *Snapshot) nearest(ref Ref) error {
	err := ErrNotFound
	for i := range s.keys {
		k := s.keys[i].Ref
		if k.Set != ref.Set || k.Version != ref.Version {
			continue
		}
		if k.Usage == ref.Usage {
			return ErrAlgorithm
		}
		if k.Algorithm == ref.Algorithm {
			err = ErrUsage
		}
	}
	return err
}

// ByIndex gives the key at a place of the key table, whatever its state, or
// ErrNotFound.
func (s *Snapshot) ByIndex(index uint16) (Handle, error) {
	i := slices.IndexFunc(s.keys, func(k Key) bool { return k.Index == index })
	if i < 0 || index == 0 {
		return 0, ErrNotFound
	}
	return Handle(i), nil
}

// Key gives the attributes of the key at h. They must not be changed.
func (s *Snapshot) Key(h Handle) *Key { return &s.keys[h] }

// Secret gives the bytes of the key at h, in locked memory. They must be
// neither changed nor kept beyond the release of the snapshot. Of a key that
// lives in a token there are none: to ask for them is a mistake of the caller's,
// like a use after the release, and panics; see Key.Home.
func (s *Snapshot) Secret(h Handle) *Secret {
	if s.keys[h].Home.InToken() {
		panic("keystore: the bytes of key " + s.keys[h].Ref.String() + " are in a token")
	}
	return s.vault.secret(h)
}

// Keys gives the attributes of all keys, in table order. They must not be
// changed.
func (s *Snapshot) Keys() []Key { return s.keys }

// Mode tells whether the keys are test or production keys.
func (s *Snapshot) Mode() Mode { return s.mode }

// Epoch counts the saves of the file that the snapshot was read from.
func (s *Snapshot) Epoch() uint64 { return s.epoch }

// Check is the check value of the storage master key.
func (s *Snapshot) Check() KCV { return s.check }

// Locked tells whether the key bytes are locked out of swap. Where they are
// not, the system's limit of locked memory is too low for them.
func (s *Snapshot) Locked() bool { return s.vault.locked }

// Release ends a hold that Live.Acquire began.
func (s *Snapshot) Release() {
	if s.holders.Add(-1) == 0 {
		s.vault.destroy()
	}
}
