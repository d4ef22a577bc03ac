package keystore

import (
	"fmt"
	"sync/atomic"
)

// A Handle is the dense index of a key in one Snapshot. It means nothing in
// another.
type Handle uint16

// A Snapshot is an immutable set of keys. Readers hold one for the length of a
// batch, so that a reload never mixes old and new keys within a request. Its
// key bytes live in locked memory and are cleared when the last holder of a
// replaced snapshot lets go.
type Snapshot struct {
	mode  Mode
	epoch uint64
	check KCV
	keys  []Key
	byRef map[Ref]Handle
	vault *vault

	holders atomic.Int64 // readers, plus one while the snapshot is current
}

// NewSnapshot copies entries into a fresh snapshot. The identities must be
// distinct. The caller still owns, and should clear, the entries.
func NewSnapshot(mode Mode, epoch uint64, check KCV, entries []Entry) (*Snapshot, error) {
	v, err := newVault(len(entries))
	if err != nil {
		return nil, err
	}
	s := &Snapshot{
		mode: mode, epoch: epoch, check: check, vault: v,
		keys:  make([]Key, len(entries)),
		byRef: make(map[Ref]Handle, len(entries)),
	}
	s.holders.Store(1)
	for i := range entries {
		if _, twice := s.byRef[entries[i].Ref]; twice {
			v.destroy()
			return nil, fmt.Errorf("keystore: two keys are named %s", entries[i].Ref)
		}
		s.keys[i] = entries[i].Key
		s.byRef[entries[i].Ref] = Handle(i)
		*v.secret(Handle(i)) = entries[i].Secret
	}
	return s, nil
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

// Key gives the attributes of the key at h. They must not be changed.
func (s *Snapshot) Key(h Handle) *Key { return &s.keys[h] }

// Secret gives the bytes of the key at h, in locked memory. They must be
// neither changed nor kept beyond the release of the snapshot.
func (s *Snapshot) Secret(h Handle) *Secret { return s.vault.secret(h) }

// Keys gives the attributes of all keys, in table order. They must not be
// changed.
func (s *Snapshot) Keys() []Key { return s.keys }

// Mode tells whether the keys are test or production keys.
func (s *Snapshot) Mode() Mode { return s.mode }

// Epoch counts the saves of the file that the snapshot was read from.
func (s *Snapshot) Epoch() uint64 { return s.epoch }

// Check is the check value of the storage master key.
func (s *Snapshot) Check() KCV { return s.check }

// Release ends a hold that Live.Acquire began.
func (s *Snapshot) Release() {
	if s.holders.Add(-1) == 0 {
		s.vault.destroy()
	}
}
