package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"pbochsm/cmd/onecard/internal/api/contract"
	"pbochsm/mac"
	"pbochsm/mac/explain"
)

// Errors of a World.
var (
	// ErrNotFound is what is asked for and not there.
	ErrNotFound = errors.New("sim: not found")
	// ErrReal is a sandbox that was to be built on keys of cards in the field.
	ErrReal = errors.New("sim: a sandbox takes nothing but the published test keys")
)

// Options make a World.
type Options struct {
	Dir   string            // holds the ledger, the cards and the snapshots
	Seed  uint64            // of the cards' random numbers
	Keys  map[string]string // of the domains, by code, to sign with
	Kinds []CardKind
	Zone  *time.Location
	Clock *Clock
	// Explainer has the keys that the security module has.
	Explainer explain.Explainer
	// Build makes the system on what Dir holds.
	Build func(context.Context, *World) (*Instance, error)
}

// An Instance is a system that serves. Snapshots and resets close it and
// build another.
type Instance struct {
	API   http.Handler
	Books Books
	Close func() error
}

// Books are what the sandbox does and shows at the ledger.
type Books interface {
	// List gives what there is of a kind: orders, accounts, recharge-cards or
	// corp-accounts.
	List(ctx context.Context, kind string) (any, error)
	// Make makes one of a kind from a JSON object and gives it.
	Make(ctx context.Context, kind string, body io.Reader) (any, error)
	// Furnish fills an empty ledger with the fixtures.
	Furnish(ctx context.Context) error
}

// A World is one sandbox.
type World struct {
	o      Options
	clock  *Clock
	deck   *Deck
	faults *Faults
	hub    *hub
	book   *book
	keys   map[string]string
	calls  map[string]bool // the paths of the API

	mu  sync.RWMutex // held for reading while a request is under way
	now *Instance
}

// Open makes a sandbox, new or from what Options.Dir holds.
func Open(ctx context.Context, o Options) (*World, error) {
	w := &World{
		o: o, clock: o.Clock, deck: NewDeck(o.Seed, o.Kinds...), faults: &Faults{}, hub: newHub(o.Clock.Now),
		book: &book{all: map[int64]*exchange{}}, keys: o.Keys, calls: map[string]bool{},
	}
	for _, e := range contract.Endpoints() {
		w.calls[e.Path] = true
	}
	return w, w.build(ctx)
}

// Deck is the sandbox's cards.
func (w *World) Deck() *Deck { return w.deck }

// Module puts the faults of requests before the security module, which takes
// patience to time out.
func (w *World) Module(hsm mac.HSM, patience time.Duration) mac.HSM { return module{hsm, patience} }

// EndStreams ends the streams of events, which would keep a server from
// draining.
func (w *World) EndStreams() { w.hub.close() }

// ServeHTTP is the whole system, with the faults and the book around it.
func (w *World) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.wrap(http.HandlerFunc(w.serve)).ServeHTTP(rw, r)
}

// serve answers from the instance that is there now.
func (w *World) serve(rw http.ResponseWriter, r *http.Request) {
	w.mu.RLock()
	api := w.now.API
	if w.calls[r.URL.Path] {
		defer w.mu.RUnlock() // no reset while it works
	} else {
		w.mu.RUnlock() // which may be a reset, or a stream without an end
	}
	api.ServeHTTP(rw, r)
}

// Close ends the streams and the instance.
func (w *World) Close() error {
	w.hub.close()
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.save(), w.now.Close())
}

// build makes the instance and reads the cards, or furnishes an empty world.
func (w *World) build(ctx context.Context) error {
	i, err := w.o.Build(ctx, w)
	if err != nil {
		return err
	}
	w.now = i
	text, err := os.ReadFile(w.cardsFile())
	switch {
	case errors.Is(err, os.ErrNotExist):
		if err := w.deck.Restore(nil); err != nil {
			return err
		}
		err = i.Books.Furnish(ctx)
		if err == nil {
			err = w.save()
		}
	case err == nil:
		var cards []Saved
		if err = json.Unmarshal(text, &cards); err == nil {
			err = w.deck.Restore(cards)
		}
	}
	if err != nil {
		return errors.Join(fmt.Errorf("sim: %s: %w", w.o.Dir, err), i.Close())
	}
	return nil
}

func (w *World) cardsFile() string { return filepath.Join(w.o.Dir, "cards.json") }

// save writes the cards, as a whole or not at all.
func (w *World) save() error {
	cards, err := w.deck.Save()
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(cards, "", "  ")
	if err != nil {
		return err
	}
	fresh := w.cardsFile() + ".new"
	if err := os.WriteFile(fresh, text, 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, w.cardsFile())
}

// hostTime is the date and time that a terminal would take now.
func (w *World) hostTime() (date mac.BCDDate, clock mac.BCDTime) {
	now := w.clock.Now().In(w.o.Zone)
	bcd := func(n int) byte { return byte(n/10<<4 | n%10) }
	date = mac.BCDDate{bcd(now.Year() / 100), bcd(now.Year() % 100), bcd(int(now.Month())), bcd(now.Day())}
	return date, mac.BCDTime{bcd(now.Hour()), bcd(now.Minute()), bcd(now.Second())}
}

var snapshotName = regexp.MustCompile(`^[0-9A-Za-z_-]{1,40}$`)

// worldFiles are what a snapshot holds.
const worldFiles = "*.*"

// snapshot keeps the world as it is under a name.
func (w *World) snapshot(ctx context.Context, name string) error {
	return w.swap(ctx, name, func(kept string) error {
		if err := os.RemoveAll(kept); err != nil {
			return err
		}
		return copyFiles(w.o.Dir, kept)
	})
}

// restore makes the world what it was at a snapshot.
func (w *World) restore(ctx context.Context, name string) error {
	return w.swap(ctx, name, func(kept string) error {
		if _, err := os.Stat(kept); err != nil {
			return fmt.Errorf("%w: no snapshot %q", ErrNotFound, name)
		}
		return errors.Join(removeFiles(w.o.Dir), copyFiles(kept, w.o.Dir))
	})
}

// reset makes the world what it was at first.
func (w *World) reset(ctx context.Context) error {
	w.faults.Clear()
	return w.swap(ctx, "none", func(string) error { return removeFiles(w.o.Dir) })
}

// swap changes the files while nothing uses them, and serves from them again.
func (w *World) swap(ctx context.Context, name string, change func(kept string) error) error {
	if !snapshotName.MatchString(name) {
		return fmt.Errorf("%w: a snapshot has a name of letters, digits, _ and -", ErrRequest)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := errors.Join(w.save(), w.now.Close()); err != nil {
		return err
	}
	err := change(filepath.Join(w.o.Dir, "snapshots", name))
	return errors.Join(err, w.build(ctx))
}

func copyFiles(from, to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	names, err := filepath.Glob(filepath.Join(from, worldFiles))
	if err != nil {
		return err
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, filepath.Base(name)), text, 0o600); err != nil { //nolint:gosec // the name of a snapshot has letters and digits alone
			return err
		}
	}
	return nil
}

func removeFiles(dir string) error {
	names, err := filepath.Glob(filepath.Join(dir, worldFiles))
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return nil
}
