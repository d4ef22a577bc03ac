package audit

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// A card is whose failures are counted together: the last factor, in its key
// set. Other versions and algorithms of a key are other ways to guess at the
// same card. A key without levels is a card's own.
type card struct {
	set    byte
	own    [2]byte // version and algorithm, of a key without levels
	factor mac.Factor
}

func cardOf(op *mac.Op) card {
	if op.Levels == 0 {
		return card{set: op.Key.Set, own: [2]byte{op.Key.Version, op.Key.Algorithm}}
	}
	return card{set: op.Key.Set, factor: op.Factors[min(op.Levels, keystore.MaxLevels)-1]}
}

// columns is the width of the counters: two rows of it, 2 MiB.
const columns = 1 << 18

// A budget counts wrong MACs by card and day. Its memory is fixed: a card has
// one counter in each of two rows, chosen by hashes that nobody outside can
// foresee, and the smaller one counts. Another card can share both only by
// chance: with n cards wrong on one day about (n/columns)² of the others do.
// So it may refuse a card too early, on a day of millions of guesses, and never
// too late.
type budget struct {
	limit uint32 // failures of a card in a day; 0: no limit
	zone  *time.Location
	seeds [2]maphash.Seed

	mu   sync.Mutex // of a change of day
	day  atomic.Int64
	used atomic.Uint64 // failures today, of all cards
	rows [2][]atomic.Uint32
}

func newBudget(limit int, zone *time.Location) *budget {
	b := &budget{limit: uint32(limit), zone: zone}
	for i := range b.rows {
		b.seeds[i] = maphash.MakeSeed()
		if limit > 0 {
			b.rows[i] = make([]atomic.Uint32, columns)
		}
	}
	return b
}

// dayOf numbers the days of the zone.
func (b *budget) dayOf(at time.Time) int64 {
	_, offset := at.In(b.zone).Zone()
	return (at.Unix() + int64(offset)) / (24 * 60 * 60)
}

// startOf is when the day of at began.
func (b *budget) startOf(at time.Time) time.Time {
	y, m, d := at.In(b.zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, b.zone)
}

// roll forgets yesterday. A clock that goes back changes nothing.
func (b *budget) roll(at time.Time) {
	day := b.dayOf(at)
	if day <= b.day.Load() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if day <= b.day.Load() {
		return
	}
	for _, row := range b.rows {
		for i := range row {
			row[i].Store(0)
		}
	}
	b.used.Store(0)
	b.day.Store(day)
}

// cells are the counters of a card.
func (b *budget) cells(c card) (cells [2]*atomic.Uint32) {
	for i := range cells {
		cells[i] = &b.rows[i][maphash.Comparable(b.seeds[i], c)%columns]
	}
	return cells
}

// spent tells whether the card has used up its failures of today.
func (b *budget) spent(c card) bool {
	if b.limit == 0 || b.used.Load() == 0 {
		return false
	}
	cells := b.cells(c)
	return min(cells[0].Load(), cells[1].Load()) >= b.limit
}

// fail counts a failure, and tells how many there were today, of all cards.
func (b *budget) fail(c card) (total uint64) {
	if b.limit > 0 {
		for _, cell := range b.cells(c) {
			cell.Add(1)
		}
	}
	return b.used.Add(1)
}
