package ledger

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Two changes of one row in one statement would be one change: the second one
// must stand in a statement after the first.
func TestAStatementChangesARowOnce(t *testing.T) {
	move := func(order, version int64) []any { return []any{order, version, "ISSUED", "CONFIRMED", int64(0)} }
	var b pgx.Batch
	queueRows(&b, step{moves, [][]any{move(1, 1), move(2, 1), move(1, 2), move(1, 3), move(3, 1)}})
	var got [][]int64
	for _, q := range b.QueuedQueries {
		orders, ok := q.Arguments[0].([]int64)
		if !ok {
			t.Fatalf("the orders are a %T", q.Arguments[0])
		}
		got = append(got, orders)
	}
	want := [][]int64{{1, 2, 3}, {1}, {1}}
	if !slices.EqualFunc(got, want, slices.Equal[[]int64]) {
		t.Errorf("the orders of the statements are %v, want %v", got, want)
	}
}

// What is inserted may begin with equal values, and some may be NULL.
func TestAStatementInsertsAllRows(t *testing.T) {
	var b pgx.Batch
	queueRows(&b, step{bindings, [][]any{{int64(1), int64(7), "A"}, {int64(1), nil, "B"}}})
	if n := len(b.QueuedQueries); n != 1 {
		t.Fatalf("%d statements for two rows", n)
	}
	asn, ok := b.QueuedQueries[0].Arguments[1].([]*int64)
	if !ok || len(asn) != 2 || asn[0] == nil || *asn[0] != 7 || asn[1] != nil {
		t.Errorf("the numbers are %v", b.QueuedQueries[0].Arguments[1])
	}
}
