package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"pbochsm/cmd/onecard/internal/batch"
	"pbochsm/cmd/onecard/internal/recharge"
)

// Options open a ledger.
type Options struct {
	DSN   string      // "sqlite:FILE", or a postgres:// address
	Fatal func(error) // called when nothing can be built on any more: end the process; nil panics

	// Secret stands for the server's secret, see recharge.Keys.Check. A ledger
	// keeps the first that it is opened with, and refuses another. Nil: it is not
	// looked at.
	Secret []byte

	// ReadOnly is for who changes nothing: a standby of PostgreSQL will do.
	ReadOnly bool
}

// ErrSecret is a ledger that was written under another secret.
var ErrSecret = errors.New("ledger: the ledger was written under another ledger_secret: requests and recharge cards would not be known again")

// A Ledger is safe for concurrent use, also by several processes on one
// database.
type Ledger struct {
	engine engine
	commit *committer
	reads  *batch.Queue[[]ask]
	check  *checking
	sweep  sweeper
	ids    ids
	once   sync.Once
	closed error
}

var _ recharge.Ledger = (*Ledger)(nil)

// Open opens a ledger whose schema is up to date: see Migrate.
func Open(ctx context.Context, o Options) (*Ledger, error) {
	if err := checkSchema(ctx, o.DSN); err != nil {
		return nil, err
	}
	e, err := openEngine(ctx, o.DSN)
	if err != nil {
		return nil, err
	}
	fatal := o.Fatal
	if fatal == nil {
		fatal = func(err error) { panic(err) }
	}
	l := &Ledger{engine: e, commit: newCommitter(e, fatal), reads: newReader(e)}
	l.check = startChecking(e, fatal)
	if o.Secret != nil {
		if err := l.belong(ctx, o); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	return l, nil
}

var keepSecret = &statement{name: "secret", one: "INSERT INTO secret (id, digest) VALUES (1, $1) " +
	"ON CONFLICT (id) DO UPDATE SET id = 1 RETURNING digest"}

var findSecret = &statement{one: "SELECT digest FROM secret WHERE id = 1"}

// belong ties the ledger to a secret, or finds that it has another. Who only
// reads may find that it has none yet.
func (l *Ledger) belong(ctx context.Context, o Options) (err error) {
	kept := o.Secret
	scan := func(r row) error { return r.Scan(&kept) }
	if o.ReadOnly {
		err = l.engine.read(ctx, []ask{{findSecret, nil, scan}})
	} else {
		err = l.commit.do(ctx, &work{small: []ask{{keepSecret, []any{o.Secret}, scan}}})
	}
	switch {
	case err != nil:
		return outward(err)
	case !bytes.Equal(kept, o.Secret):
		return ErrSecret
	}
	return nil
}

// CheckAddress tells whether Options.DSN can be this one, and asks nobody.
func CheckAddress(dsn string) error {
	if strings.HasPrefix(dsn, "sqlite:") {
		return nil
	}
	_, err := parsePost(dsn)
	return err
}

func openEngine(ctx context.Context, dsn string) (engine, error) {
	if file, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		return openLite(ctx, file)
	}
	return openPost(ctx, dsn)
}

// Close stores what waits and closes the database. It may be called again.
func (l *Ledger) Close() error {
	l.once.Do(func() {
		l.check.stop()
		l.commit.queue.Close()
		l.reads.Close()
		l.closed = l.engine.close()
	})
	return l.closed
}

// Ping tells whether the database answers, and after a failure to store whether
// it stores again.
func (l *Ledger) Ping(ctx context.Context) error {
	if l.commit.failed.Load() {
		return outward(l.commit.do(ctx, &work{small: []ask{{pulse, nil, nil}}}))
	}
	return outward(l.engine.ping(ctx))
}

// Commit stores a change. See recharge.Ledger.
func (l *Ledger) Commit(ctx context.Context, c *recharge.Change) error {
	if err := ctx.Err(); err != nil {
		return err // before anything was begun
	}
	first, err := l.take(ctx, int64(1+len(c.Postings)))
	if err != nil {
		return err
	}
	return l.commit.do(ctx, &work{change: c, event: first, posted: first + 1})
}

// NewID gives a number that nothing else has. See recharge.Ledger.
func (l *Ledger) NewID(ctx context.Context) (int64, error) { return l.take(ctx, 1) }

// idBlock is how many numbers a process takes from the database at once.
// Those that it does not use by its end are never used.
const idBlock = 10_000

// ids are the numbers that this process has taken and not used.
type ids struct {
	mu         sync.Mutex
	next, last int64
}

// take gives n consecutive numbers and returns the first.
func (l *Ledger) take(ctx context.Context, n int64) (int64, error) {
	l.ids.mu.Lock()
	defer l.ids.mu.Unlock()
	if l.ids.last-l.ids.next < n {
		size := max(idBlock, n)
		end, err := l.takeBlock(ctx, size)
		if err != nil {
			return 0, outward(err)
		}
		l.ids.next, l.ids.last = end-size, end
	}
	first := l.ids.next
	l.ids.next += n
	return first, nil
}

var nextBlock = &statement{name: "block", one: "UPDATE block SET next = next + $1 WHERE name = 'id' RETURNING next"}

// takeBlock takes so many numbers from the database and gives the one after
// the last. A connection that is found broken is not the end: numbers that were
// taken and not heard of are never used.
func (l *Ledger) takeBlock(ctx context.Context, size int64) (end int64, err error) {
	for try := range mostTries {
		err = l.engine.write(ctx, nil, []ask{{nextBlock, []any{size}, into(&end)}}, 0)
		if err == nil || ctx.Err() != nil {
			break
		}
		time.Sleep(time.Millisecond << try)
	}
	return end, err
}

// outward makes an error of an engine one of those that recharge knows.
func outward(err error) error {
	if errors.Is(err, errRefused) || errors.Is(err, errLost) {
		return fmt.Errorf("%w: %w", recharge.ErrStore, err)
	}
	return err
}
