package ledger

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/jackc/pgx/v5"

	"pbochsm/cmd/onecard/internal/recharge"
)

// What is read is gathered like what is written: all that wait are asked
// together, each statement once for all of its rows. So a load takes part in a
// round trip, and in an execution of each statement, and has none of its own.
const (
	mostReadings = 2  // under way at once
	mostAsking   = 64 // in one
)

// A reading is what one caller asks.
type reading struct {
	ctx  context.Context
	asks []ask
	done chan error
}

// A librarian reads for all callers.
type librarian struct {
	pool  pooled
	queue chan *reading
	stop  chan struct{}
	ended sync.WaitGroup
}

// pooled is a pool of connections.
type pooled interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

func newLibrarian(pool pooled) *librarian {
	l := &librarian{pool: pool, queue: make(chan *reading, mostWaiting), stop: make(chan struct{})}
	for range mostReadings {
		l.ended.Go(l.run)
	}
	return l
}

func (l *librarian) close() {
	close(l.stop)
	l.ended.Wait()
}

// read waits for the answers. A caller that leaves early leaves behind what it
// asked for, and must not look at it.
func (l *librarian) read(ctx context.Context, asks []ask) error {
	r := &reading{ctx, asks, make(chan error, 1)}
	select {
	case l.queue <- r:
	case <-l.stop:
		return errClosing
	default:
		return recharge.ErrBusy
	}
	select {
	case err := <-r.done:
		return err
	case <-l.stop:
		return errClosing
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", recharge.ErrStore, ctx.Err())
	}
}

func (l *librarian) run() {
	for {
		select {
		case r := <-l.queue:
			l.together(l.gather([]*reading{r}))
		case <-l.stop:
			return
		}
	}
}

func (l *librarian) gather(all []*reading) []*reading {
	runtime.Gosched()
	for len(all) < mostAsking {
		select {
		case r := <-l.queue:
			all = append(all, r)
		default:
			return all
		}
	}
	return all
}

// together asks for all of them. One that is alone ends with its caller; many
// end by themselves.
func (l *librarian) together(all []*reading) {
	ctx := all[0].ctx
	if len(all) > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.Background(), writeTime)
		defer cancel()
	}
	var asks []ask
	for _, r := range all {
		asks = append(asks, r.asks...)
	}
	err := readTogether(ctx, l.pool, asks)
	for _, r := range all {
		r.done <- err
	}
}

// readTogether sends everything in one piece. A connection that is found broken
// before the first row is not the end: the server may have been started anew.
func readTogether(ctx context.Context, pool pooled, all []ask) (err error) {
	for range mostTries {
		began := false
		b := &pgx.Batch{}
		b.Queue(oneMoment)
		for _, same := range byStatement(all) {
			if len(same) == 1 {
				queue(b, same[0], &began)
			} else {
				queueAsks(b, same, &began)
			}
		}
		b.Queue(itsEnd)
		err = pool.SendBatch(ctx, b).Close()
		if err == nil || began || sqlState(err) != "" && !terminated(err) || ctx.Err() != nil {
			break
		}
	}
	return postError(err)
}

// byStatement parts what is asked by the statement that asks.
func byStatement(all []ask) (parts [][]ask) {
	at := map[*statement]int{}
	for _, a := range all {
		i, ok := at[a.statement]
		if !ok {
			i, parts = len(parts), append(parts, nil)
			at[a.statement] = i
		}
		parts[i] = append(parts[i], a)
	}
	return parts
}

// queueAsks adds what one statement is asked for by several callers. The first
// column tells whose row it is.
func queueAsks(b *pgx.Batch, same []ask, began *bool) {
	rows := make([][]any, len(same))
	for i, a := range same {
		rows[i] = a.args
	}
	s := same[0].statement
	b.Queue(s.many, arrays(s.kinds, rows)...).Query(func(found pgx.Rows) error {
		first := make([]any, len(found.FieldDescriptions()))
		var n int64
		first[0] = &n
		for found.Next() {
			*began = true
			if err := found.Scan(first...); err != nil {
				return err
			}
			if err := same[n-1].scan(ownRow{found}); err != nil {
				return err
			}
		}
		return found.Err()
	})
}

// An ownRow is a row without its first column.
type ownRow struct{ pgx.Rows }

// Scan copies the columns after the first.
func (r ownRow) Scan(to ...any) error { return r.Rows.Scan(append([]any{nil}, to...)...) }
