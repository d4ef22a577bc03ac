package ledger

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
)

// pooled is a pool of connections.
type pooled interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// readTogether sends everything in one piece, each statement once for all of its
// rows. A connection that is found broken
// before the first row is not the end: the server may have been started anew.
func readTogether(ctx context.Context, pool pooled, all []ask) (err error) {
	for range mostTries {
		began := false
		b := &pgx.Batch{}
		b.Queue(oneMoment)
		if slices.ContainsFunc(all, func(a ask) bool { return a.long }) {
			b.Queue(wholly)
		}
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
