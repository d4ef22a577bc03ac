package ledger

import (
	"bytes"
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

// A liteEngine is SQLite: one connection that writes, and reads what decisions
// need, and others for what may take long. A connection has a cache of its own,
// which the commits of every other one empty: only what the writer reads it finds
// there again, and finds what it is going to write. The write-ahead log is
// synchronised at every commit (synchronous FULL).
type liteEngine struct {
	writer    chan *liteConn // holds it while it has nothing to do
	surveyors chan *liteConn
	damaged   damageMark
}

// mostSurveyors is how many read beside the writer.
const mostSurveyors = 2

// The settings of a connection. What reads does not write by mistake.
var (
	liteWriting = []string{"journal_mode=WAL", "synchronous=FULL", "temp_store=MEMORY", "cache_size=-65536", "wal_autocheckpoint=8000"}
	liteReading = []string{"journal_mode=WAL", "synchronous=FULL", "temp_store=FILE", "cache_size=-16384", "query_only=ON"}
)

func openLite(ctx context.Context, file string) (_ *liteEngine, err error) {
	// What this call does not synchronise are the times of the file, which nobody
	// looks at. Where there is no such call, the other one stays.
	_, _ = driver.Fdatasync(true)
	setUpGathering()
	e := &liteEngine{writer: make(chan *liteConn, 1), surveyors: make(chan *liteConn, mostSurveyors), damaged: damageMark(file + "-damaged")}
	if err := e.damaged.refuse(); err != nil {
		return e, err
	}
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
	if err := checkDurableLite(ctx, writer); err != nil {
		return e, err
	}
	for range mostSurveyors {
		surveyor, err := openLiteConn(ctx, file, nil, liteReading)
		if err != nil {
			return e, err
		}
		e.surveyors <- surveyor
	}
	return e, nil
}

// checkDurableLite refuses a file in which a commit would be answered before it
// is on the disk.
func checkDurableLite(ctx context.Context, c *liteConn) error {
	var mode string
	var synchronous int64
	for _, of := range []ask{
		{survey("PRAGMA journal_mode"), nil, func(r row) error { return r.Scan(&mode) }},
		{survey("PRAGMA synchronous"), nil, into(&synchronous)},
	} {
		if err := c.ask(ctx, of); err != nil {
			return liteError(err)
		}
	}
	if mode != "wal" || synchronous < 2 {
		return fmt.Errorf("ledger: journal mode %s, synchronous %d: a power cut would lose orders", mode, synchronous)
	}
	return nil
}

var quickCheck = survey("PRAGMA quick_check(1)")

func (e *liteEngine) check(ctx context.Context) error {
	var sound string
	err := e.read(ctx, []ask{{quickCheck, nil, func(r row) error { return r.Scan(&sound) }}})
	if err == nil && sound != "ok" {
		err = e.damaged.set(sound)
	}
	return err
}

func (e *liteEngine) read(ctx context.Context, all []ask) error {
	idle := e.writer
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
	return e.judge(c.together(ctx, beginReading, func() error {
		for _, same := range bySense(all) {
			if err := c.askFor(ctx, same); err != nil {
				return err
			}
		}
		return nil
	}))
}

// bySense parts what is asked by what it asks: many callers ask for the same
// account, or for the failures of the same day.
func bySense(all []ask) (parts [][]ask) {
	for _, same := range byStatement(all) {
		from := len(parts)
		for _, a := range same {
			i := slices.IndexFunc(parts[from:], func(p []ask) bool { return slices.EqualFunc(p[0].args, a.args, equal) })
			if i < 0 {
				parts = append(parts, []ask{a})
			} else {
				parts[from+i] = append(parts[from+i], a)
			}
		}
	}
	return parts
}

// equal compares two arguments.
func equal(a, b any) bool {
	v, bytesA := a.([]byte)
	w, bytesB := b.([]byte)
	if bytesA || bytesB {
		return bytesA && bytesB && bytes.Equal(v, w)
	}
	return a == b
}

func (e *liteEngine) readers() int { return 1 }

func (e *liteEngine) write(ctx context.Context, all []step, then []ask, _ int64) error {
	ctx = context.WithoutCancel(ctx) // an interrupted COMMIT would not say what it did
	c := <-e.writer
	defer func() { e.writer <- c }()
	return e.judge(c.together(ctx, beginWriting, func() error {
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
	for _, kept := range []chan *liteConn{e.surveyors, e.writer} {
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
