package ledger

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"pbochsm/cmd/onecard/internal/recharge"
)

//go:embed migrations/*.sql
var migrations embed.FS

// words are what the migrations say in the language of each database.
var words = map[goose.Dialect]*strings.Replacer{
	goose.DialectSQLite3:  strings.NewReplacer(" ID ", " INTEGER ", " BYTES ", " BLOB ", ") CLUSTERED;", ") WITHOUT ROWID;"),
	goose.DialectPostgres: strings.NewReplacer(" ID ", " BIGINT ", " BYTES ", " BYTEA ", ") CLUSTERED;", ");"),
}

// ErrSchema is a database whose schema is not the one of this program.
var ErrSchema = errors.New("ledger: the schema is not up to date: run onecard ledger migrate")

// Migrate brings the schema of a database up to date. It may be called at any
// time, and by several processes at once.
func Migrate(ctx context.Context, dsn string) error {
	return withProvider(ctx, dsn, func(p *goose.Provider) error {
		_, err := p.Up(ctx)
		return err
	})
}

func checkSchema(ctx context.Context, dsn string) error {
	return withProvider(ctx, dsn, func(p *goose.Provider) error {
		if pending, err := p.HasPending(ctx); err != nil || pending {
			return errors.Join(err, map[bool]error{true: ErrSchema}[pending])
		}
		at, newest, err := p.GetVersions(ctx)
		if err == nil && at != newest {
			return fmt.Errorf("ledger: the schema has version %d and this program knows %d: it is too old", at, newest)
		}
		return err
	})
}

func withProvider(ctx context.Context, dsn string, use func(*goose.Provider) error) (err error) {
	db, dialect, err := openSQL(dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	all, err := steps(dialect)
	if err != nil {
		return err
	}
	if err := db.PingContext(ctx); err != nil {
		return fmt.Errorf("%w: %w", recharge.ErrStore, err)
	}
	options := []goose.ProviderOption{goose.WithGoMigrations(all...), goose.WithDisableGlobalRegistry(true)}
	if dialect == goose.DialectPostgres {
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(dialect, db, nil, options...)
	if err != nil {
		return err
	}
	return use(p)
}

// openSQL opens a database the way that goose wants it.
func openSQL(dsn string) (*sql.DB, goose.Dialect, error) {
	if file, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		db, err := sql.Open("sqlite", liteSource(file))
		if err == nil {
			db.SetMaxOpenConns(1)
		}
		return db, goose.DialectSQLite3, err
	}
	config, err := parsePost(dsn) // which knows the members that are the pool's
	if err != nil {
		return nil, goose.DialectPostgres, err
	}
	return stdlib.OpenDB(*config.ConnConfig), goose.DialectPostgres, nil
}

// liteSource names the file as goose's driver wants it.
func liteSource(file string) string {
	q := url.Values{"_txlock": {"immediate"}, "_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)"}}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath(), RawQuery: q.Encode()}).String()
}

// steps gives the migrations as functions that run their text in a
// transaction.
func steps(dialect goose.Dialect) ([]*goose.Migration, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var all []*goose.Migration
	for _, name := range names {
		text, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		number, _, _ := strings.Cut(path.Base(name), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("ledger: migration %s has no number: %w", name, err)
		}
		translated := words[dialect].Replace(string(text))
		all = append(all, goose.NewGoMigration(version, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, translated)
			return err
		}}, nil))
	}
	return all, nil
}
