package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// OpenSQL opens a database past the ledger.
func OpenSQL(dsn string) (*sql.DB, error) {
	db, _, err := openSQL(dsn)
	return db, err
}

// Plans are how PostgreSQL goes about what is read for a decision, and what is
// changed, many rows at once and as it plans without looking at the arguments.
func Plans(ctx context.Context, dsn string) (map[string]string, error) {
	e, err := openPost(ctx, dsn)
	if err != nil {
		return nil, err
	}
	defer func() { _ = e.close() }()
	conn, err := e.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, "SET plan_cache_mode = force_generic_plan"); err != nil {
		return nil, err
	}
	plans := map[string]string{}
	for _, s := range []*statement{
		findWrite, findOfCard, findByTrade, findByNumber, findReserved, findPaid, findWrites, findBindings, findNumbers,
		findAccount, findVoucher, findByCorporate, findOrder, findPerson, findProposal, findSpent,
		balances, accountStatuses, moves, issues, uses, voucherStatuses, passwords, approvals,
	} {
		if plans[s.many], err = s.plan(ctx, conn.Conn()); err != nil {
			return nil, err
		}
	}
	return plans, nil
}

// Surveys are the texts that go through whole tables to verify and to reconcile,
// with what takes the place of their arguments.
func Surveys() []string {
	all := []*statement{moneyRules, countOrders, countWrites, heldOrders, unspent, allFlows}
	for _, rule := range rules {
		all = append(all, rule.breaks)
	}
	for _, kind := range []openKind{unproved, overtaken, reserved, provedAfterAll} {
		all = append(all, kind.total, kind.oldest)
	}
	texts := make([]string, len(all))
	for i, s := range all {
		texts[i] = argument.ReplaceAllString(s.one, "1000")
	}
	return texts
}

// plan is how the server goes about the rows of s.
func (s *statement) plan(ctx context.Context, conn *pgx.Conn) (string, error) {
	nulls := strings.TrimSuffix(strings.Repeat("NULL,", len(s.kinds)), ",")
	for _, text := range []string{
		"DEALLOCATE ALL", fmt.Sprintf("PREPARE planned (%s[]) AS %s", strings.Join(s.kinds, "[],"), s.many),
	} {
		if _, err := conn.Exec(ctx, text, pgx.QueryExecModeSimpleProtocol); err != nil {
			return "", err
		}
	}
	rows, err := conn.Query(ctx, fmt.Sprintf("EXPLAIN EXECUTE planned (%s)", nulls), pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return "", err
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return strings.Join(lines, "\n"), err
}
