package ledger

import (
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// queueRows adds a step: one statement for all of its rows. But a statement
// changes a row once, whatever it joins it with, so a second change of a row
// goes into a statement of its own, where it meets what the first one left.
func queueRows(b *pgx.Batch, s step) {
	for rows := s.rows; len(rows) > 0; {
		once, again := rows, [][]any(nil)
		if s.changes {
			once, again = distinct(rows)
		}
		b.Queue(s.many, arrays(s.kinds, once)...).Exec(func(t pgconn.CommandTag) error {
			if t.RowsAffected() != int64(len(once)) {
				return fmt.Errorf("%w: a change of table %s met %d rows of %d", errLost, s.name, t.RowsAffected(), len(once))
			}
			return nil
		})
		rows = again
	}
}

// distinct parts the rows whose first value is new from those that repeat one.
func distinct(rows [][]any) (once, again [][]any) {
	seen := make(map[any]bool, len(rows))
	for _, r := range rows {
		if seen[r[0]] {
			again = append(again, r)
			continue
		}
		seen[r[0]] = true
		once = append(once, r)
	}
	return once, again
}

// arrays turns rows of arguments into an array for each argument.
func arrays(kinds []string, rows [][]any) []any {
	all := make([]any, len(kinds))
	for i, kind := range kinds {
		switch kind {
		case "bigint":
			all[i] = array[int64](rows, i)
		case "text":
			all[i] = array[string](rows, i)
		default:
			all[i] = array[[]byte](rows, i)
		}
	}
	return all
}

// array is the i-th argument of each row: values, or where one is NULL their
// places.
func array[T any](rows [][]any, i int) any {
	values, null := make([]T, len(rows)), false
	for j, r := range rows {
		v, ok := r[i].(T)
		values[j], null = v, null || !ok
	}
	if !null {
		return values
	}
	places := make([]*T, len(rows))
	for j, r := range rows {
		if _, ok := r[i].(T); ok {
			places[j] = &values[j]
		}
	}
	return places
}
