package keystore_test

import (
	"crypto/rand"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"pbochsm/keystore"
)

// newDaemon gives a store that is changed, the directory, and the two things
// that a daemon holds.
func newDaemon(t testing.TB) (writer *keystore.Store, dir string, daemon *keystore.Store, live *keystore.Live) {
	t.Helper()
	writer, dir = newStore(t, keystore.ModeTest)
	fill(t, writer, 1)
	daemon = openStore(t, dir)
	snap, err := daemon.Snapshot()
	must(t, err)
	return writer, dir, daemon, keystore.NewLive(snap)
}

// current gives the epoch that live serves from.
func current(live *keystore.Live) uint64 {
	snap := live.Acquire()
	defer snap.Release()
	return snap.Epoch()
}

func TestReload(t *testing.T) {
	writer, _, daemon, live := newDaemon(t)
	fill(t, writer, 2)
	must(t, writer.ChangePassphrase(rand.Reader, []byte("unknown to the daemon")))
	must(t, writer.Save(rand.Reader))
	must(t, daemon.Reload(live))
	snap := live.Acquire()
	defer snap.Release()
	sameKeys(t, snap, snapshotOf(t, writer))
	if snap.Epoch() != 4 {
		t.Errorf("epoch %d, want 4", snap.Epoch())
	}
}

func TestReloadRefuses(t *testing.T) {
	writer, dir, daemon, live := newDaemon(t)
	old := readFile(t, dir)
	fill(t, writer, 2)
	must(t, daemon.Reload(live))
	file := readFile(t, dir)
	flipped := append([]byte(nil), file...)
	flipped[len(flipped)/2] ^= 1
	for _, c := range []struct {
		name string
		file []byte
		want error
	}{
		{"an older file", old, keystore.ErrRollback},
		{"a damaged file", flipped, keystore.ErrDamaged},
		{"an empty file", nil, keystore.ErrDamaged},
		{"a file of another store", newVictim(t).file, keystore.ErrDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := current(live)
			writeFile(t, dir, c.file)
			if err := daemon.Reload(live); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if got := current(live); got != before {
				t.Errorf("serves from epoch %d, want still %d", got, before)
			}
		})
	}
	must(t, os.Remove(path(dir)))
	if err := daemon.Reload(live); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	writeFile(t, dir, file)
	if err := daemon.Reload(live); err != nil {
		t.Errorf("once the file is good again: %v", err)
	}
}

// Readers go on while the file is reloaded a hundred times: each sees one set
// of keys, whole, and none fails.
func TestReloadUnderLoad(t *testing.T) {
	const readers, reloads = 4, 100
	writer, _, daemon, live := newDaemon(t)
	fill(t, writer, 2, 3, 4)
	must(t, daemon.Reload(live))
	var stop atomic.Bool
	var batches atomic.Int64
	var seen sync.Map // of *keystore.Snapshot
	var group sync.WaitGroup
	for range readers {
		group.Go(func() {
			for !stop.Load() {
				snap := live.Acquire()
				seen.Store(snap, nil)
				checkBatch(t, snap)
				snap.Release()
				batches.Add(1)
			}
		})
	}
	for i := range reloads {
		oldest := keyOf(byte(1 + i)).Ref
		must(t, errors.Join(writer.Retire(oldest), writer.Delete(oldest)))
		_, err := writer.Generate(rand.Reader, keyOf(byte(5+i)))
		must(t, err)
		must(t, writer.Save(rand.Reader))
		must(t, daemon.Reload(live))
	}
	stop.Store(true)
	group.Wait()
	if batches.Load() == 0 {
		t.Error("no reader ever ran")
	}
	last := live.Acquire()
	defer last.Release()
	seen.Range(func(key, _ any) bool {
		snap := key.(*keystore.Snapshot)
		if want := snap != last; snap.Destroyed() != want {
			t.Errorf("epoch %d of %d: cleared %t, want %t", snap.Epoch(), last.Epoch(), !want, want)
		}
		return true
	})
}

// checkBatch finds four active keys, each with the bytes that its check value
// was made of.
func checkBatch(t *testing.T, snap *keystore.Snapshot) {
	for _, k := range snap.Keys() {
		h, err := snap.Find(k.Ref)
		if err != nil {
			t.Errorf("%s: %v", k.Ref, err)
			continue
		}
		if kcv, err := snap.Secret(h).KCV(k.Cipher); err != nil || kcv != k.KCV {
			t.Errorf("%s: check value of the bytes %s, of the key %s (%v)", k.Ref, kcv, k.KCV, err)
		}
	}
	if n := len(snap.Keys()); n != 4 {
		t.Errorf("epoch %d has %d keys, want 4", snap.Epoch(), n)
	}
}

func TestLastReaderClears(t *testing.T) {
	writer, _, daemon, live := newDaemon(t)
	first, second := live.Acquire(), live.Acquire()
	fill(t, writer, 2)
	must(t, daemon.Reload(live))
	for _, held := range []*keystore.Snapshot{first, second} {
		if held.Destroyed() {
			t.Fatal("cleared while a reader holds it")
		}
		held.Release()
	}
	if !first.Destroyed() {
		t.Error("not cleared after its last reader")
	}
	now := live.Acquire()
	must(t, daemon.Close())
	now.Release()
	if now.Destroyed() {
		t.Error("cleared while it is current")
	}
}
