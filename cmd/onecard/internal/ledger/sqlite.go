package ledger

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	driver "modernc.org/sqlite"
	"zombiezen.com/go/sqlite"

	"pbochsm/cmd/onecard/internal/recharge"
)

// A liteEngine is SQLite: one connection that writes, others that read beside
// it. The write-ahead log is synchronised at every commit (synchronous FULL).
type liteEngine struct {
	writer    chan *liteConn // holds it while nobody writes
	readers   chan *liteConn
	surveyors chan *liteConn // for what may take long
}

// How many read at once. Each has a cache of its own, which every commit
// empties: few are better than many.
const (
	mostReaders   = 2
	mostSurveyors = 2
)

// The settings of a connection. What reads does not write by mistake.
var (
	liteWriting = []string{"journal_mode=WAL", "synchronous=FULL", "temp_store=MEMORY", "cache_size=-65536", "wal_autocheckpoint=8000"}
	liteReading = []string{"journal_mode=WAL", "synchronous=FULL", "temp_store=MEMORY", "cache_size=-16384", "query_only=ON"}
)

func openLite(ctx context.Context, file string) (_ *liteEngine, err error) {
	// What this call does not synchronise are the times of the file, which nobody
	// looks at. Where there is no such call, the other one stays.
	_, _ = driver.Fdatasync(true)
	setUpGathering()
	e := &liteEngine{writer: make(chan *liteConn, 1), readers: make(chan *liteConn, mostReaders), surveyors: make(chan *liteConn, mostSurveyors)}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.close())
		}
	}()
	writer, err := openLiteConn(ctx, file, url.Values{"vfs": {gathering}}, liteWriting)
	if err != nil {
		return e, err
	}
	e.writer <- writer
	if err := checkLite(ctx, writer); err != nil {
		return e, err
	}
	for _, idle := range []chan *liteConn{e.readers, e.surveyors} {
		for range cap(idle) {
			reader, err := openLiteConn(ctx, file, nil, liteReading)
			if err != nil {
				return e, err
			}
			idle <- reader
		}
	}
	return e, nil
}

// checkLite looks at what the file says of itself.
func checkLite(ctx context.Context, c *liteConn) error {
	var mode, sound string
	var synchronous int64
	for _, of := range []ask{
		{survey("PRAGMA journal_mode"), nil, func(r row) error { return r.Scan(&mode) }},
		{survey("PRAGMA synchronous"), nil, into(&synchronous)},
		{survey("PRAGMA quick_check(1)"), nil, func(r row) error { return r.Scan(&sound) }},
	} {
		if err := c.ask(ctx, of); err != nil {
			return liteError(err)
		}
	}
	switch {
	case mode != "wal" || synchronous < 2:
		return fmt.Errorf("ledger: journal mode %s, synchronous %d: a power cut would lose orders", mode, synchronous)
	case sound != "ok":
		return fmt.Errorf("%w: %s", errLost, sound)
	}
	return nil
}

func (e *liteEngine) read(ctx context.Context, all []ask) error {
	idle := e.readers
	if slices.ContainsFunc(all, func(a ask) bool { return a.long }) {
		idle = e.surveyors
	}
	var c *liteConn
	select {
	case c = <-idle:
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", recharge.ErrStore, ctx.Err())
	}
	defer func() { idle <- c }()
	return liteError(c.together(ctx, beginReading, func() error {
		for _, a := range all {
			if err := c.ask(ctx, a); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (e *liteEngine) write(ctx context.Context, all []step, then []ask, _ int64) error {
	ctx = context.WithoutCancel(ctx) // an interrupted COMMIT would not say what it did
	c := <-e.writer
	defer func() { e.writer <- c }()
	return liteError(c.together(ctx, beginWriting, func() error {
		for _, s := range all {
			if err := c.step(ctx, s); err != nil {
				return err
			}
		}
		for _, a := range then {
			if err := c.ask(ctx, a); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (e *liteEngine) ping(ctx context.Context) error {
	return e.read(ctx, []ask{{isThere, nil, nil}})
}

var isThere = &statement{one: "SELECT 1 FROM block WHERE name = 'id'"}

// close closes what is open. Nobody reads or writes any more.
func (e *liteEngine) close() error {
	var errs []error
	for _, kept := range []chan *liteConn{e.readers, e.surveyors, e.writer} {
		for len(kept) > 0 {
			errs = append(errs, (<-kept).close())
		}
	}
	return errors.Join(errs...)
}

// busyTime is how long another process may hold the file.
const busyTime = 10 * time.Second

// liteError says what an error of SQLite means. In each case but that of a
// failed synchronisation nothing was stored: what the log holds beyond the last
// commit does not count.
func liteError(err error) error {
	if err == nil || errors.Is(err, errRefused) {
		return err
	}
	switch code := sqlite.ErrCode(err); {
	case code.ToPrimary() == sqlite.ResultConstraint:
		return fmt.Errorf("%w: %w", errRefused, err)
	case code == sqlite.ResultIOErrFsync, code == sqlite.ResultIOErrDirFsync, code.ToPrimary() == sqlite.ResultCorrupt:
		return fmt.Errorf("%w: %w", errLost, err)
	case code.ToPrimary() == sqlite.ResultBusy:
		return fmt.Errorf("%w: %w", recharge.ErrBusy, err)
	}
	return fmt.Errorf("%w: %w", recharge.ErrStore, err)
}
