package ledger

import (
	"slices"
	"testing"

	"pbochsm/cmd/onecard/internal/recharge"
)

// Two processes that take the same nonces and budgets must take them in one
// order, or each could wait for the other.
func TestLocksAreTakenInOneOrder(t *testing.T) {
	nonce := func(n string) *work { return &work{small: []ask{{takeNonce, []any{"APPM", n, int64(1)}, nil}}} }
	failure := func(subjects ...string) *work {
		c := &recharge.Change{}
		for _, s := range subjects {
			c.Spend = append(c.Spend, recharge.Budget{Kind: "card", Subject: s, Period: "20200101"})
		}
		return &work{change: c}
	}
	all := []*work{nonce("b"), failure("2", "1"), nonce("a"), failure("1", "3")}
	var orders [2][]string
	for i := range orders {
		g := newGroup()
		for _, w := range all {
			g.add(w)
		}
		for _, a := range g.locks() {
			orders[i] = append(orders[i], a.name+" "+a.args[1].(string)) //nolint:forcetypeassert // they are
		}
		slices.Reverse(all)
	}
	want := []string{"budget 1", "budget 1", "budget 2", "budget 3", "nonce a", "nonce b"}
	if !slices.Equal(orders[0], want) || !slices.Equal(orders[1], want) {
		t.Errorf("the orders are %q and %q, want %q", orders[0], orders[1], want)
	}
}
