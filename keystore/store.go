package keystore

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"filippo.io/age"
)

// A Store is a data directory with its sealed file open. Changes are made in
// memory; Save makes them durable. All methods may be called concurrently.
type Store struct {
	mu     sync.Mutex
	dir    string
	unlock func() error // nil: opened for reading only
	master masterKey
	wraps  []*age.Stanza // what unlocks master, as it stands in the file
	keys   *Snapshot     // nil: closed
}

// Options say how to open a store. The zero value opens it for changes.
type Options struct {
	MinEpoch uint64 // an older file is refused
	ReadOnly bool   // take no lock and change nothing: for a daemon
}

// Create makes a store without keys in dir, which it makes too if need be,
// and saves it. It clears passphrase. The caller must Close the store.
func Create(rand io.Reader, dir string, passphrase []byte, mode Mode) (*Store, error) {
	return create(rand, dir, passphrase, mode, standardCost)
}

func create(rand io.Reader, dir string, passphrase []byte, mode Mode, c cost) (_ *Store, err error) {
	defer clear(passphrase)
	if !modeNames.has(uint8(mode)) {
		return nil, fmt.Errorf("%w: mode", ErrAttribute)
	}
	if len(passphrase) == 0 {
		return nil, ErrEmpty
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	_ = syncDir(filepath.Dir(dir)) // for dir's own name, where the parent may be read
	s, err := newStore(dir, false)
	if err != nil {
		return nil, err
	}
	defer s.closeOnError(&err)
	path := filepath.Join(dir, fileName)
	if _, err := os.Lstat(path); err == nil {
		return nil, fmt.Errorf("keystore: %w: %s", fs.ErrExist, path)
	}
	if err := s.begin(rand, passphrase, mode, c); err != nil {
		return nil, err
	}
	if err := s.Save(rand); err != nil {
		return nil, err
	}
	return s, nil
}

// begin makes the storage master key of a new store and an empty key table.
func (s *Store) begin(rand io.Reader, passphrase []byte, mode Mode, c cost) error {
	if _, err := io.ReadFull(rand, s.master.bytes()); err != nil {
		return fmt.Errorf("keystore: random storage master key: %w", err)
	}
	wrap, err := wrapMaster(rand, passphrase, c, s.master)
	if err != nil {
		return err
	}
	s.wraps = []*age.Stanza{wrap}
	head := header{mode: mode, next: 1}
	if head.check, err = s.master.check(); err != nil {
		return err
	}
	s.keys, err = newSnapshot(head, nil)
	return err
}

// Open opens the store in dir. It clears passphrase. The caller must Close the
// store.
func Open(dir string, passphrase []byte, o Options) (_ *Store, err error) {
	defer clear(passphrase)
	if len(passphrase) == 0 {
		return nil, ErrEmpty
	}
	s, err := newStore(dir, o.ReadOnly)
	if err != nil {
		return nil, err
	}
	defer s.closeOnError(&err)
	if err := s.load(passphrase, o.MinEpoch, nil); err != nil {
		return nil, err
	}
	return s, nil
}

// newStore gives a store without contents, locked unless it is only read.
func newStore(dir string, readOnly bool) (_ *Store, err error) {
	s := &Store{dir: dir}
	if !readOnly {
		if s.unlock, err = lockDir(dir); err != nil {
			return nil, err
		}
	}
	if s.master, err = newMasterKey(); err != nil {
		s.closeOnError(&err)
		return nil, err
	}
	return s, nil
}

// closeOnError gives everything back when a constructor fails.
func (s *Store) closeOnError(err *error) {
	if *err != nil {
		_ = s.Close()
	}
}

// load reads the file, with passphrase or, where it is nil, with the SMK. The
// store changes only if all is well; ready, unless it is nil, has the last word.
func (s *Store) load(passphrase []byte, minEpoch uint64, ready func(*Snapshot) error) error {
	file, err := readFile(s.dir)
	if err != nil {
		return err
	}
	o := opener{master: s.master, passphrase: passphrase}
	payload, err := o.open(file)
	if err != nil {
		return fmt.Errorf("%w: %s", err, filepath.Join(s.dir, fileName))
	}
	keys, err := decode(s.master, payload)
	if err != nil {
		return err
	}
	if keys.epoch < minEpoch {
		keys.Release()
		return fmt.Errorf("%w: epoch %d, at least %d expected", ErrRollback, keys.epoch, minEpoch)
	}
	if ready != nil {
		if err := ready(keys); err != nil {
			keys.Release()
			return err
		}
	}
	s.wraps = o.wraps
	s.replace(keys)
	return nil
}

// replace makes keys the contents, and takes over its first hold.
func (s *Store) replace(keys *Snapshot) {
	if s.keys != nil {
		s.keys.Release()
	}
	s.keys = keys
}

// Snapshot gives the present contents, saved or not. The caller must Release
// it or hand it to a Live.
func (s *Store) Snapshot() (*Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil {
		return nil, ErrSealed
	}
	s.keys.hold()
	return s.keys, nil
}

// AuditKey gives the key that authenticates the audit log of the daemon that
// serves this store: 32 bytes, the same for as long as the store lives.
func (s *Store) AuditKey() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil {
		return nil, ErrSealed
	}
	return s.master.derive(labelAudit, nil, masterSize)
}

// Reload reads the file again, with the storage master key that the store
// holds, and serves from it: live is swapped between two batches. If the file
// is invalid, or older than what the store has, nothing changes. Changes that
// were not saved are lost.
func (s *Store) Reload(live *Live) error {
	return s.ReloadIf(live, nil)
}

// ReloadIf is Reload for a caller who has a word to say about the new keys: an
// error of ready leaves everything as it was. ready must not keep the snapshot.
func (s *Store) ReloadIf(live *Live, ready func(*Snapshot) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil {
		return ErrSealed
	}
	if err := s.load(nil, s.keys.epoch, ready); err != nil {
		return err
	}
	s.keys.hold()
	live.Swap(s.keys)
	return nil
}

// Save seals the contents under the next epoch and replaces the file. When it
// fails the old file stands, unless the error says that the new one may not
// outlive a power cut.
func (s *Store) Save(rand io.Reader) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(); err != nil {
		return err
	}
	head := s.keys.header
	head.epoch++
	keys, err := newSnapshot(head, s.keys.rows())
	if err != nil {
		return err
	}
	if err := s.write(rand, keys); err != nil {
		keys.Release()
		return err
	}
	s.replace(keys)
	return nil
}

func (s *Store) write(rand io.Reader, keys *Snapshot) error {
	payload, err := encode(rand, s.master, keys)
	if err != nil {
		return err
	}
	file, err := sealer{rand, s.master, s.wraps}.seal(payload)
	if err != nil {
		return err
	}
	return replaceFile(s.dir, file)
}

func (s *Store) writable() error {
	switch {
	case s.keys == nil:
		return ErrSealed
	case s.unlock == nil:
		return ErrReadOnly
	}
	return nil
}

// Close clears the storage master key and the store's hold on its keys, and
// lets other writers in. Snapshots that were handed out live on. What was not
// saved is lost.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.master.vault != nil {
		s.master.destroy()
		s.master.vault = nil
	}
	s.replace(nil)
	if s.unlock == nil {
		return nil
	}
	err := s.unlock()
	s.unlock = nil
	return err
}
