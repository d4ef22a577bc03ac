package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"pbochsm/cmd/onecard/internal/recharge"
)

// A postEngine is PostgreSQL. A transaction is one batch, sent in one piece and
// answered in one: the server begins it by itself and commits it at the end of
// the batch.
type postEngine struct {
	pool *pgxpool.Pool
}

// warned is set for a connection whose server has warned that a commit is not
// replicated. The connection's own data hold it.
const warnedKey = "onecard.warned"

func openPost(ctx context.Context, dsn string) (*postEngine, error) {
	config, err := parsePost(dsn)
	if err != nil {
		return nil, err
	}
	// Statements are planned once. A plan that was made while a table was empty
	// would go through all of it until the server has analysed it.
	config.ConnConfig.RuntimeParams["enable_seqscan"] = "off"
	config.ConnConfig.OnNotice = func(c *pgconn.PgConn, n *pgconn.Notice) {
		if flag, ok := c.CustomData()[warnedKey].(*atomic.Bool); ok && strings.HasPrefix(n.Code, "01") {
			flag.Store(true)
		}
	}
	config.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		c.PgConn().CustomData()[warnedKey] = new(atomic.Bool)
		return checkDurable(ctx, c)
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", recharge.ErrStore, err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, postError(err)
	}
	return &postEngine{pool: pool}, nil
}

func parsePost(dsn string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, errors.New("ledger: the address of the database cannot be parsed") // the error quotes it, password and all
	}
	return config, nil
}

// checkDurable refuses a connection on which a commit would be answered before
// it is on the disk.
func checkDurable(ctx context.Context, c *pgx.Conn) error {
	for setting, good := range map[string][]string{
		"synchronous_commit": {"on", "remote_apply"},
		"fsync":              {"on"},
		"full_page_writes":   {"on"},
	} {
		var value string
		if err := c.QueryRow(ctx, "SELECT current_setting($1)", setting).Scan(&value); err != nil {
			return err
		}
		if value != good[0] && value != good[len(good)-1] {
			return fmt.Errorf("ledger: the database has %s = %s: a power cut would lose orders", setting, value)
		}
	}
	return nil
}

// What a batch that reads stands in.
const (
	oneMoment = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	itsEnd    = "COMMIT"
	wholly    = "SET LOCAL enable_seqscan = on" // where whole tables are wanted
)

// read sends everything in one piece.
func (e *postEngine) read(ctx context.Context, all []ask) error {
	return readTogether(ctx, e.pool, all)
}

func (e *postEngine) readers() int { return 2 } // while one waits for the server, the other one gathers

// terminated tells whether the server has ended the session: class 57P.
func terminated(err error) bool { return strings.HasPrefix(sqlState(err), "57P") }

// queue adds a statement whose rows are handed to its scan when the batch is
// closed. began tells then whether there was one.
func queue(b *pgx.Batch, a ask, began *bool) {
	q := b.Queue(a.one, a.args...)
	if a.scan == nil {
		return
	}
	q.Query(func(rows pgx.Rows) error {
		for rows.Next() {
			*began = true
			if err := a.scan(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// mostTries is how often a transaction that the server gave up for the sake of
// another one is repeated.
const mostTries = 5

func (e *postEngine) write(ctx context.Context, all []step, then []ask, proof int64) error {
	var err error
	for range mostTries {
		var sure bool
		if sure, err = e.try(ctx, all, then); err == nil || !sure {
			break
		}
		if code := sqlState(err); code != "40001" && code != "40P01" {
			return postError(err)
		}
	}
	switch {
	case err == nil || errors.Is(err, errLost):
		return err
	case proof == 0: // what nobody will miss
		return fmt.Errorf("%w: %w", recharge.ErrStore, err)
	}
	return e.outcome(proof, err)
}

// try sends the batch once. It is sure that nothing is stored where the server
// said so, or where nothing was sent.
func (e *postEngine) try(ctx context.Context, all []step, then []ask) (sure bool, err error) {
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return true, err
	}
	defer conn.Release()
	warned := conn.Conn().PgConn().CustomData()[warnedKey].(*atomic.Bool) //nolint:errcheck,forcetypeassert // AfterConnect put it there
	warned.Store(false)
	b, began := &pgx.Batch{}, false
	for _, s := range all {
		queueRows(b, s)
	}
	for _, a := range then {
		queue(b, a, &began)
	}
	err = conn.Conn().SendBatch(ctx, b).Close()
	if err == nil && warned.Load() {
		return false, errors.New("the server warns that the commit may not be replicated")
	}
	var said *pgconn.PgError
	if errors.As(err, &said) && said.Severity == "ERROR" {
		return true, err
	}
	return pgconn.SafeToRetry(err), err
}

// outcomeTime is how long the fate of a transaction is asked for.
const outcomeTime = 10 * time.Second

var (
	voids = &statement{one: "INSERT INTO event (id, at, kind, domain, order_id, who, note) " +
		"VALUES ($1, 0, 'VOID', '', 0, '', '') ON CONFLICT (id) DO NOTHING"}
	pulse      = &statement{one: "UPDATE block SET next = next + 1 WHERE name = 'pulse'"}
	countVoids = &statement{one: "SELECT count(*) FROM event WHERE id = $1 AND kind = 'VOID'"}
)

// outcome finds out what became of a transaction of which only cause is known.
// It asks by trying to store an event with the number of one of its events:
// whichever of the two comes first excludes the other, so a transaction that
// is still under way on the server cannot slip in after the answer. And what
// it stores with that is a commit of its own: once that is replicated, so is
// everything before it.
func (e *postEngine) outcome(proof int64, cause error) error {
	ctx, cancel := context.WithTimeout(context.Background(), outcomeTime)
	defer cancel()
	for pause := 10 * time.Millisecond; ; pause *= 2 {
		void := int64(0)
		_, err := e.try(ctx, nil, []ask{
			{voids, []any{proof}, nil}, {pulse, nil, nil}, {countVoids, []any{proof}, into(&void)},
		})
		switch {
		case err == nil && void == 0:
			return errStored
		case err == nil:
			return fmt.Errorf("%w: %w", recharge.ErrStore, cause)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w; %w", recharge.ErrUnknownOutcome, cause, err)
		case <-time.After(min(pause, time.Second)):
		}
	}
}

func (e *postEngine) check(context.Context) error { return nil } // the server's own task: pg_amcheck

func (e *postEngine) ping(ctx context.Context) error { return postError(e.pool.Ping(ctx)) }

func (e *postEngine) close() error {
	e.pool.Close()
	return nil
}

// sqlState is the code of an error of the server, or empty.
func sqlState(err error) string {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return said.Code
	}
	return ""
}

// postError says what an error means after which nothing is stored. Class 23
// is a constraint.
func postError(err error) error {
	switch {
	case err == nil, errors.Is(err, errLost):
		return err
	case strings.HasPrefix(sqlState(err), "23"):
		return fmt.Errorf("%w: %w", errRefused, err)
	case sqlState(err) == "25006":
		return fmt.Errorf("%w: the server takes nothing, as a standby does: %w", recharge.ErrStore, err)
	}
	return fmt.Errorf("%w: %w", recharge.ErrStore, err)
}
