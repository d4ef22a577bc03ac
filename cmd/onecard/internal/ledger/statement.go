package ledger

import (
	"fmt"
	"regexp"
	"strings"
)

// A statement is SQL for one row of arguments, $1 and so on, in words that both
// databases know. SQLite runs it for each row. PostgreSQL has its own text for
// many rows at once, which come as one array for each argument.
type statement struct {
	name string // of the table, for errors
	one  string
	many string

	kinds   []string // the types of the arguments, by PostgreSQL's names
	changes bool     // the first argument names a row that is there, and is changed
	long    bool     // it may read whole tables
}

var argument = regexp.MustCompile(`\$(\d+)`)

// An ask is a statement that is run for one row of arguments, with what each
// row that it returns is handed to.
type ask struct {
	*statement
	args []any
	scan func(row) error // nil: no row is looked at
}

// A step is a statement that is run for many rows of arguments, each of which
// must change or insert one row.
type step struct {
	*statement
	rows [][]any
}

// A row is what both drivers give for one.
type row interface{ Scan(to ...any) error }

// insertInto is a statement that stores a row. columns are names, each with
// the type that PostgreSQL has for it.
func insertInto(table, columns string) *statement {
	names, kinds := split(columns)
	all := strings.Join(names, ", ")
	return &statement{
		name: table, kinds: kinds,
		one:  fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table, all, numbered("$%d", kinds)),
		many: fmt.Sprintf("INSERT INTO %s (%s) SELECT * FROM unnest(%s)", table, all, numbered("$%d::%s[]", kinds)),
	}
}

// change is a statement that changes the row which where names; kinds are the
// types of the arguments.
func change(table, set, where, kinds string) *statement {
	all := strings.Fields(kinds)
	return &statement{
		name: table, kinds: all, changes: true,
		one:  fmt.Sprintf("UPDATE %s SET %s WHERE %s", table, set, where),
		many: fmt.Sprintf("UPDATE %s SET %s FROM %s WHERE %s", table, ofRow(set), rowsOf(all), ofRow(where)),
	}
}

// find is a statement that reads a few rows.
func find(kinds, text string) *statement {
	all := strings.Fields(kinds)
	return &statement{
		kinds: all,
		one:   text,
		many: fmt.Sprintf("SELECT v.n, q.* FROM unnest(%s) WITH ORDINALITY AS v(%s, n) CROSS JOIN LATERAL (%s) AS q",
			numbered("$%d::%s[]", all), numbered("p%d", all), ofRow(text)),
	}
}

// survey is a statement that reads whole tables, or nearly.
func survey(text string) *statement { return &statement{one: text, long: true} }

// split takes names and types apart.
func split(columns string) (names, kinds []string) {
	for i, word := range strings.Fields(columns) {
		if i%2 == 0 {
			names = append(names, word)
		} else {
			kinds = append(kinds, word)
		}
	}
	return names, kinds
}

// numbered writes a list, with the number and the type of each argument.
func numbered(form string, kinds []string) string {
	all := make([]string, len(kinds))
	for i, kind := range kinds {
		if strings.Contains(form, "%s") {
			all[i] = fmt.Sprintf(form, i+1, kind)
		} else {
			all[i] = fmt.Sprintf(form, i+1)
		}
	}
	return strings.Join(all, ", ")
}

// rowsOf is the table v of all rows of arguments, whose columns are p1 and so
// on.
func rowsOf(kinds []string) string {
	return fmt.Sprintf("unnest(%s) AS v(%s)", numbered("$%d::%s[]", kinds), numbered("p%d", kinds))
}

// ofRow names arguments as columns of v.
func ofRow(text string) string { return argument.ReplaceAllString(text, "v.p$1") }
