package recharge

import "math"

// Fen is an amount of money, 1/100 yuan. Sums are checked: see plus.
type Fen int64

// MaxFen is the most that a purse can hold: its balance is four bytes of which
// the first bit is not used.
const MaxFen Fen = math.MaxInt32

// plus is the sum of two amounts that are not negative, or false where it
// cannot be told.
func plus(a, b Fen) (Fen, bool) {
	if a < 0 || b < 0 || a > math.MaxInt64-b {
		return 0, false
	}
	return a + b, true
}
