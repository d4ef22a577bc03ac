package ledger_test

import (
	"context"
	"slices"
	"testing"

	"pbochsm/cmd/onecard/internal/ledger"
	"pbochsm/cmd/onecard/internal/recharge"
)

// A MAC2 is accounted for by the write that has everything it depends on, and
// by no other.
func TestUnaccounted(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		account := merchant(t, l, "M1", 100000)
		c := sale(t, l, account, 7)
		w := &c.Writes[0]
		w.Terminal[5], w.Date[0], w.Time[2] = 3, 0x20, 0x59
		if err := l.Commit(context.Background(), c); err != nil {
			t.Fatal(err)
		}
		stored := ledger.Issued{
			Cards: []recharge.CardKey{w.Card}, Counter: w.Counter, Random: w.Random, Amount: 100,
			Terminal: w.Terminal, Date: w.Date, Time: w.Time,
		}
		other := w.Card
		other.Wallet = 1
		changed := func(change func(*ledger.Issued)) ledger.Issued {
			m := stored
			m.Cards = slices.Clone(stored.Cards)
			change(&m)
			return m
		}
		all := []ledger.Issued{
			stored,
			changed(func(m *ledger.Issued) { m.Cards[0].ASN[7]++ }),
			changed(func(m *ledger.Issued) { m.Cards[0].Scheme++ }),
			changed(func(m *ledger.Issued) { m.Cards[0] = other }),
			changed(func(m *ledger.Issued) { m.Counter++ }),
			changed(func(m *ledger.Issued) { m.Random[0]++ }),
			changed(func(m *ledger.Issued) { m.Amount++ }),
			changed(func(m *ledger.Issued) { m.Terminal[0]++ }),
			changed(func(m *ledger.Issued) { m.Date[3]++ }),
			changed(func(m *ledger.Issued) { m.Time[0]++ }),
			changed(func(m *ledger.Issued) { m.Cards = append([]recharge.CardKey{other}, m.Cards...) }), // one of two
		}
		missing, err := l.Unaccounted(context.Background(), all)
		if want := []int{1, 2, 3, 4, 5, 6, 7, 8, 9}; err != nil || !slices.Equal(missing, want) {
			t.Errorf("missing %v, %v; want %v", missing, err, want)
		}
		// More than are asked for at once.
		many := slices.Repeat([]ledger.Issued{stored}, 1200)
		many[499], many[500], many[1199] = all[1], all[1], all[1]
		missing, err = l.Unaccounted(context.Background(), many)
		if want := []int{499, 500, 1199}; err != nil || !slices.Equal(missing, want) {
			t.Errorf("of many %v are missing, %v; want %v", missing, err, want)
		}
	})
}
