package ledger

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"

	"zombiezen.com/go/sqlite"
)

// A liteConn is a connection to SQLite, used by one goroutine at a time.
type liteConn struct {
	conn  *sqlite.Conn
	ready map[*statement]*sqlite.Stmt
}

var (
	beginReading = &statement{one: "BEGIN"}
	beginWriting = &statement{one: "BEGIN IMMEDIATE"}
	commit       = &statement{one: "COMMIT"}
	rollback     = &statement{one: "ROLLBACK"}
)

// openLiteConn opens a file that is there.
func openLiteConn(ctx context.Context, file string, options url.Values, settings []string) (*liteConn, error) {
	name := url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath(), RawQuery: options.Encode()}
	conn, err := sqlite.OpenConn(name.String(), sqlite.OpenReadWrite|sqlite.OpenURI)
	if err != nil {
		return nil, liteError(err)
	}
	conn.SetBusyTimeout(busyTime)
	c := &liteConn{conn: conn, ready: map[*statement]*sqlite.Stmt{}}
	for _, setting := range settings {
		if err := c.ask(ctx, ask{survey("PRAGMA " + setting), nil, nil}); err != nil {
			return nil, errors.Join(liteError(err), conn.Close())
		}
	}
	return c, nil
}

func (c *liteConn) close() error {
	var errs []error
	for _, stmt := range c.ready {
		errs = append(errs, stmt.Finalize())
	}
	return errors.Join(append(errs, c.conn.Close())...)
}

// together runs work as one transaction.
func (c *liteConn) together(ctx context.Context, begin *statement, work func() error) error {
	err := c.ask(ctx, ask{begin, nil, nil})
	if err != nil {
		return err
	}
	if err = work(); err == nil {
		err = c.ask(ctx, ask{commit, nil, nil})
	}
	if err != nil && !c.conn.AutocommitEnabled() { // SQLite ends some by itself
		err = errors.Join(err, c.ask(context.WithoutCancel(ctx), ask{rollback, nil, nil}))
	}
	return err
}

// step runs s for each of its rows.
func (c *liteConn) step(ctx context.Context, s step) error {
	for _, args := range s.rows {
		if err := c.ask(ctx, ask{s.statement, args, nil}); err != nil {
			return err
		}
		if n := c.conn.Changes(); n != 1 {
			return fmt.Errorf("%w: a change of table %s met %d rows", errRefused, s.name, n)
		}
	}
	return nil
}

// ask runs a statement to its end. One that may take long ends with ctx.
func (c *liteConn) ask(ctx context.Context, a ask) error { return c.askFor(ctx, []ask{a}) }

// askFor runs a statement once for all who ask the same.
func (c *liteConn) askFor(ctx context.Context, same []ask) error {
	a := same[0]
	stmt, err := c.prepared(a.statement)
	if err != nil {
		return err
	}
	if a.long {
		c.conn.SetInterrupt(ctx.Done())
		defer c.conn.SetInterrupt(nil)
	}
	for i, arg := range a.args {
		if err := bind(stmt, i+1, arg); err != nil {
			return err
		}
	}
	for {
		more, err := stmt.Step()
		if err != nil {
			return err
		}
		if !more {
			return stmt.Reset()
		}
		for _, a := range same {
			if a.scan == nil {
				continue
			}
			if err := a.scan(liteRow{stmt}); err != nil {
				return errors.Join(err, stmt.Reset())
			}
		}
	}
}

// prepared gives a statement in the form of SQLite, where arguments are ?1 and
// so on: $1 would be a name.
func (c *liteConn) prepared(s *statement) (*sqlite.Stmt, error) {
	if stmt := c.ready[s]; stmt != nil {
		return stmt, nil
	}
	stmt, _, err := c.conn.PrepareTransient(strings.ReplaceAll(s.one, "$", "?"))
	if err == nil {
		c.ready[s] = stmt
	}
	return stmt, err
}

func bind(stmt *sqlite.Stmt, i int, arg any) error {
	switch v := arg.(type) {
	case nil:
		stmt.BindNull(i)
	case int64:
		stmt.BindInt64(i, v)
	case string:
		stmt.BindText(i, v)
	case []byte:
		stmt.BindBytes(i, v)
	default:
		return fmt.Errorf("ledger: an argument is a %T", arg)
	}
	return nil
}

// A liteRow is the row that a statement stands on.
type liteRow struct{ stmt *sqlite.Stmt }

// Scan copies the columns into what to points at: strings, numbers, bytes, or
// pointers to strings and numbers, which NULL leaves nil.
func (r liteRow) Scan(to ...any) error {
	if n := r.stmt.ColumnCount(); n != len(to) {
		return fmt.Errorf("ledger: %d columns for %d values", n, len(to))
	}
	for i, place := range to {
		switch p := place.(type) {
		case *int64:
			*p = r.stmt.ColumnInt64(i)
		case *string:
			*p = r.stmt.ColumnText(i)
		case *[]byte:
			*p = make([]byte, r.stmt.ColumnLen(i))
			r.stmt.ColumnBytes(i, *p)
		case **int64:
			if *p = nil; !r.stmt.ColumnIsNull(i) {
				v := r.stmt.ColumnInt64(i)
				*p = &v
			}
		case **string:
			if *p = nil; !r.stmt.ColumnIsNull(i) {
				v := r.stmt.ColumnText(i)
				*p = &v
			}
		default:
			if err := r.scanNamed(i, place); err != nil {
				return err
			}
		}
	}
	return nil
}

// scanNamed copies a column into a named string or number.
func (r liteRow) scanNamed(i int, place any) error {
	v := reflect.ValueOf(place).Elem()
	switch v.Kind() {
	case reflect.String:
		v.SetString(r.stmt.ColumnText(i))
	case reflect.Int, reflect.Int64:
		v.SetInt(r.stmt.ColumnInt64(i))
	default:
		return fmt.Errorf("ledger: a column cannot be a %T", place)
	}
	return nil
}
