package ledger

import (
	"fmt"
	"strings"
	"sync"
)

// A statement is SQL with its arguments. rows is how many rows it must touch,
// or anyRows; scan is called for each row that it returns.
type statement struct {
	sql  string
	args []any
	rows int
	scan func(row) error
}

const anyRows = -1

// A row is what both drivers give for one.
type row interface{ Scan(to ...any) error }

// A table is one that rows are inserted into, many at a time.
type table struct {
	name    string
	columns []string
	after   string // ON CONFLICT, or empty
}

// mostRows is how many rows one statement carries. Numbers of rows are split
// into powers of two, so that there are few texts, and each is prepared once.
const mostRows = 64

// chunks cuts rows into powers of two.
func chunks(rows [][]any) (cut [][][]any) {
	for n := mostRows; n > 0; n /= 2 {
		for len(rows) >= n {
			cut, rows = append(cut, rows[:n]), rows[n:]
		}
	}
	return cut
}

// insert gives the statements that store rows.
func (t *table) insert(to []statement, rows [][]any) []statement {
	for _, part := range chunks(rows) {
		n := len(part)
		sql := texts.of(t.name+" insert", n, func() string {
			return fmt.Sprintf("INSERT INTO %s (%s) VALUES %s %s",
				t.name, strings.Join(t.columns, ", "), values(n, make([]string, len(t.columns))), t.after)
		})
		to = append(to, statement{sql: sql, args: flat(part), rows: n})
	}
	return to
}

// An update changes rows of a table from a list of values: set and where name
// the values v.column1 and so on, whose types are given.
type update struct {
	name, set, where string
	types            []string
}

// change gives the statements that change as many rows as there are values. The
// first value names the row. A statement changes a row once, whatever it joins
// it with, so a second change of a row goes into a statement of its own, where
// it meets what the first one left.
func (u *update) change(to []statement, rows [][]any) []statement {
	for len(rows) > 0 {
		once, again := distinct(rows)
		for _, part := range chunks(once) {
			n := len(part)
			sql := texts.of(u.name+" update "+u.set, n, func() string {
				return fmt.Sprintf("UPDATE %s SET %s FROM (VALUES %s) AS v WHERE %s", u.name, u.set, values(n, u.types), u.where)
			})
			to = append(to, statement{sql: sql, args: flat(part), rows: n})
		}
		rows = again
	}
	return to
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

// values writes n tuples of parameters, with a cast where a type is given.
func values(n int, types []string) string {
	var b strings.Builder
	number := 0
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for j, kind := range types {
			number++
			if j > 0 {
				b.WriteByte(',')
			}
			if kind == "" {
				fmt.Fprintf(&b, "$%d", number)
			} else {
				fmt.Fprintf(&b, "CAST($%d AS %s)", number, kind)
			}
		}
		b.WriteByte(')')
	}
	return b.String()
}

func flat(rows [][]any) []any {
	all := make([]any, 0, len(rows)*len(rows[0]))
	for _, r := range rows {
		all = append(all, r...)
	}
	return all
}

// A textCache keeps the texts of statements: they are long and few.
type textCache struct{ m sync.Map }

var texts textCache

func (c *textCache) of(name string, n int, make func() string) string {
	type key struct {
		name string
		n    int
	}
	if text, ok := c.m.Load(key{name, n}); ok {
		return text.(string) //nolint:errcheck,forcetypeassert // only texts are stored
	}
	text := make()
	c.m.Store(key{name, n}, text)
	return text
}
