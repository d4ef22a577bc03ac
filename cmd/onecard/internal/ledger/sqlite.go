package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"sync"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"pbochsm/cmd/onecard/internal/recharge"
)

// A liteEngine is SQLite: one connection that writes, others that read beside
// it. The write-ahead log is synchronised at every commit (synchronous FULL).
type liteEngine struct {
	readers *sql.DB
	writers *sql.DB
	mu      sync.Mutex // writing is one at a time; it guards what follows
	conn    *sql.Conn
	ready   map[string]*sql.Stmt

	reading sync.Map // text to *sql.Stmt of readers
}

// liteSource gives the name of the file as the driver wants it.
func liteSource(file string, writing bool) string {
	q := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "temp_store(MEMORY)"}}
	if writing {
		q.Set("_txlock", "immediate")
		q["_pragma"] = append(q["_pragma"], "cache_size(-65536)", "wal_autocheckpoint(8000)")
	} else {
		q.Add("_pragma", "query_only(ON)")
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath(), RawQuery: q.Encode()}).String()
}

func openLite(ctx context.Context, file string) (*liteEngine, error) {
	writers, err := sql.Open("sqlite", liteSource(file, true))
	if err != nil {
		return nil, err
	}
	writers.SetMaxOpenConns(1)
	readers, err := sql.Open("sqlite", liteSource(file, false))
	if err != nil {
		return nil, errors.Join(err, writers.Close())
	}
	readers.SetMaxOpenConns(4)
	readers.SetMaxIdleConns(4)
	e := &liteEngine{readers: readers, writers: writers, ready: map[string]*sql.Stmt{}}
	if err := e.begin(ctx); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

// begin takes the writing connection and looks at what the file says of itself.
func (e *liteEngine) begin(ctx context.Context) (err error) {
	if e.conn, err = e.writers.Conn(ctx); err != nil {
		return fmt.Errorf("ledger: open: %w", err)
	}
	var mode, sound string
	var synchronous int
	if err := e.conn.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if err := e.conn.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&synchronous); err != nil {
		return err
	}
	if mode != "wal" || synchronous < 2 {
		return fmt.Errorf("ledger: journal mode %s, synchronous %d: a power cut would lose orders", mode, synchronous)
	}
	if err := e.conn.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&sound); err != nil {
		return err
	}
	if sound != "ok" {
		return fmt.Errorf("%w: %s", errLost, sound)
	}
	return nil
}

// read prepares everything before it begins: a transaction that waited for
// another connection to prepare on could wait for one that waits for its own.
func (e *liteEngine) read(ctx context.Context, all []statement) error {
	ready := make([]*sql.Stmt, len(all))
	for i, s := range all {
		var err error
		if ready[i], err = e.prepared(ctx, s.sql); err != nil {
			return liteError(err)
		}
	}
	tx, err := e.readers.BeginTx(ctx, nil)
	if err != nil {
		return liteError(err)
	}
	defer func() { _ = tx.Rollback() }()
	for i, s := range all {
		rows, err := tx.StmtContext(ctx, ready[i]).QueryContext(ctx, s.args...)
		if err != nil {
			return liteError(err)
		}
		if err := each(rows, s.scan); err != nil {
			return liteError(err)
		}
	}
	return nil
}

var (
	parameter = regexp.MustCompile(`\$\d+`)
	verb      = regexp.MustCompile(`^(INSERT INTO|UPDATE) `)
	undoing   = map[string]string{"INSERT INTO ": "INSERT OR ROLLBACK INTO ", "UPDATE ": "UPDATE OR ROLLBACK "}
)

// lite is a statement with two liberties of SQLite. Parameters stand in their
// order anyway, and those without a number need not be looked up in a list.
// And what is refused undoes the whole transaction, so that nothing has to be
// kept for undoing a statement alone.
func lite(text string) string {
	text = parameter.ReplaceAllString(text, "?")
	return verb.ReplaceAllStringFunc(text, func(v string) string { return undoing[v] })
}

func (e *liteEngine) prepared(ctx context.Context, text string) (*sql.Stmt, error) {
	if stmt, ok := e.reading.Load(text); ok {
		return stmt.(*sql.Stmt), nil //nolint:errcheck,forcetypeassert // only statements are stored
	}
	stmt, err := e.readers.PrepareContext(ctx, lite(text))
	if err != nil {
		return nil, err
	}
	if other, loaded := e.reading.LoadOrStore(text, stmt); loaded {
		_ = stmt.Close()
		return other.(*sql.Stmt), nil //nolint:errcheck,forcetypeassert // only statements are stored
	}
	return stmt, nil
}

// each scans the rows and closes them.
func each(rows *sql.Rows, scan func(row) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (e *liteEngine) write(ctx context.Context, all []statement, _ int64) error {
	ctx = context.WithoutCancel(ctx) // an interrupted COMMIT would not say what it did
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.exec(ctx, statement{sql: "BEGIN IMMEDIATE", rows: anyRows}); err != nil {
		return liteError(err)
	}
	for _, s := range all {
		if err := e.exec(ctx, s); err != nil {
			return e.undo(err)
		}
	}
	if err := e.exec(ctx, statement{sql: "COMMIT", rows: anyRows}); err != nil {
		return e.undo(err)
	}
	return nil
}

// undo ends a transaction that failed. SQLite may have ended it already.
func (e *liteEngine) undo(err error) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = e.exec(ctx, statement{sql: "ROLLBACK", rows: anyRows})
	return liteError(err)
}

func (e *liteEngine) exec(ctx context.Context, s statement) error {
	stmt, ok := e.ready[s.sql]
	if !ok {
		var err error
		if stmt, err = e.conn.PrepareContext(ctx, lite(s.sql)); err != nil {
			return err
		}
		e.ready[s.sql] = stmt
	}
	if s.scan != nil {
		rows, err := stmt.QueryContext(ctx, s.args...)
		if err != nil {
			return err
		}
		return each(rows, s.scan)
	}
	result, err := stmt.ExecContext(ctx, s.args...)
	if err != nil || s.rows == anyRows {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n != int64(s.rows) {
		return fmt.Errorf("%w: a statement met %d rows of %d: %w", errRefused, n, s.rows, err)
	}
	return nil
}

func (e *liteEngine) ping(ctx context.Context) error { return liteError(e.readers.PingContext(ctx)) }

func (e *liteEngine) close() error {
	var all []error
	for _, stmt := range e.ready {
		all = append(all, stmt.Close())
	}
	if e.conn != nil {
		all = append(all, e.conn.Close())
	}
	return errors.Join(append(all, e.readers.Close(), e.writers.Close())...)
}

// liteError says what an error of the driver means. In each case but that of a
// failed synchronisation nothing was stored: what the log holds beyond the last
// commit does not count.
func liteError(err error) error {
	var e *sqlite.Error
	switch {
	case err == nil, errors.Is(err, errRefused):
		return err
	case !errors.As(err, &e):
		return fmt.Errorf("%w: %w", recharge.ErrStore, err)
	}
	switch code := e.Code(); {
	case code&0xFF == sqlite3.SQLITE_CONSTRAINT:
		return fmt.Errorf("%w: %w", errRefused, err)
	case code == sqlite3.SQLITE_IOERR_FSYNC, code == sqlite3.SQLITE_IOERR_DIR_FSYNC, code&0xFF == sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("%w: %w", errLost, err)
	case code&0xFF == sqlite3.SQLITE_BUSY:
		return fmt.Errorf("%w: %w", recharge.ErrBusy, err)
	}
	return fmt.Errorf("%w: %w", recharge.ErrStore, err)
}
