package ledger

import (
	"slices"
	"testing"
)

// Two changes of one row in one statement would be one change, by the rules of
// both databases: the second one must stand in a statement after the first.
func TestAStatementChangesARowOnce(t *testing.T) {
	move := func(order, version int64) []any { return []any{order, version, "ISSUED", "CONFIRMED", int64(0)} }
	all := moves.change(nil, [][]any{move(1, 1), move(2, 1), move(1, 2), move(1, 3), move(3, 1)})
	var got [][]any
	for _, s := range all {
		var orders []any
		for i := 0; i < len(s.args); i += len(moves.types) {
			orders = append(orders, s.args[i])
		}
		if s.rows != len(orders) {
			t.Errorf("a statement of %d values must meet %d rows", len(orders), s.rows)
		}
		got = append(got, orders)
	}
	want := [][]any{{int64(1), int64(2)}, {int64(3)}, {int64(1)}, {int64(1)}}
	if !slices.EqualFunc(got, want, slices.Equal[[]any]) {
		t.Errorf("the orders of the statements are %v, want %v", got, want)
	}
}
