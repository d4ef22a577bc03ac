package recharge

import (
	"context"
	"errors"

	"pbochsm/mac"
)

// Errors of a Ledger.
var (
	// ErrConflict is a change that does not fit what is stored by now: a
	// serial that is taken, a balance that is short, a state that has moved.
	// Nothing was stored; read again and decide again.
	ErrConflict = errors.New("recharge: the ledger has moved on")

	// ErrUnknownOutcome is a change of which nobody can tell yet whether it is
	// stored.
	ErrUnknownOutcome = errors.New("recharge: outcome of the commit unknown")

	// ErrStore is a ledger that cannot be reached. Nothing was stored.
	ErrStore = errors.New("recharge: ledger unavailable")

	// ErrBusy is a ledger with too much to do. Nothing was stored.
	ErrBusy = errors.New("recharge: ledger busy")
)

// A Ledger stores what recharge decides. It is safe for concurrent use. The
// methods return the errors above, wrapped, or that of the context before
// anything was begun.
type Ledger interface {
	// Find reads what is known about the things that q names.
	Find(ctx context.Context, q Question) (*Known, error)

	// Commit stores c as a whole and durably, or not at all. It returns nil
	// only when a power cut can no longer undo it.
	Commit(ctx context.Context, c *Change) error

	// NewID gives a number that nothing else in the ledger has. It never comes
	// from a clock.
	NewID(ctx context.Context) (int64, error)
}

// A Budget is a number of failures in a period.
type Budget struct {
	Kind    string
	Subject string
	Period  string // the day or the hour
}

// A Question names what to read. Zero members name nothing.
type Question struct {
	Card    *CardKey // its orders from the highest counter down, and its binding
	Counter mac.OnlineCount
	Random  *[4]byte // with Card and Counter: the write there and its order

	Domain  string
	TradeID string // with Domain: the order

	WithWrites bool    // the writes at Card and Counter, or without Card those of TradeID
	Payment    Payment // with Domain, if it has a TradeID: the order that it paid

	CardNo   string      // bindings of the number; without Card: its issued orders, and those that are reserved
	ByNumber bool        // with CardNo and Counter: instead of those, the order there and its writes
	Account  AccountKind // with Number
	Number   string
	Voucher  *Digest
	Group    string      // a corporate card by its number
	GroupASN *mac.Factor // or by its application serial number
	Budgets  []Budget

	// What operators ask for.
	OrderID  int64
	Person   string
	Proposal int64
	Serial   string // of a recharge card
}

// Known is what was found. What is not there is nil, or empty.
type Known struct {
	Write      *CardWrite  // at Card, Counter and Random
	WriteOrder *Order      // its order
	Order      *Order      // by TradeID, or ByNumber
	Paid       *Order      // by Payment
	Writes     []CardWrite // oldest first
	OfCard     []Order     // of the last eight; by Card those that are at Counter or above, or issued
	Reserved   []Order     // of Domain, oldest first, at most eight
	Bindings   []Binding
	Account    *Account
	Voucher    *Voucher
	Corporate  *Corporate
	Spent      []int // of each budget
	Person     *Person
	Proposal   *Proposal
}

// A Change is what one transaction stores. Everything in it holds together or
// nothing is stored: each order must be new, each move must find its state,
// each account must be active and cover what is taken.
type Change struct {
	Event      Event
	Orders     []Order
	Moves      []Move
	Paid       *Order      // by Payment
	Writes     []CardWrite // oldest first
	Postings   []Posting
	Bindings   []Binding
	Uses       []Use
	Accounts   []Account   // new ones
	Vouchers   []Voucher   // new ones
	Corporates []Corporate // new ones, or new versions of known ones
	Statuses   []StatusMove
	Persons    []Person   // new ones
	Gone       []string   // persons who may no longer take part
	Proposals  []Proposal // new ones
	Approval   *Approval

	Spend []Budget // failures to count, one for each

	// Commit sets these.
	Spent   []int // the counts of Spend after it
	Balance Fen   // of the account that an Order with FromTransfer tops up, after it; the order keeps it
}

// EventProved is the kind of an event that finds the money of an order on the
// card, after it was given back.
const EventProved = "PROVED"

// An Event is the record of a change.
type Event struct {
	At     int64 // ms since 1970
	Kind   string
	Domain string
	Order  int64
	Who    string // source or person
	Note   string
}

// A Move takes an order from one state to another. Where it is issued, the
// card and the rest become the order's.
type Move struct {
	Order     int64
	Version   int64 // that it must have
	From, To  State
	Overtaken bool
	Issue     *Issue
}

// An Issue is what an order gets with its first write.
type Issue struct {
	Card      CardKey
	Counter   mac.OnlineCount
	Balance   Fen
	TradeType TradeType
	Payment   Payment
	Detail    Detail
}

// A Use spends a recharge card.
type Use struct {
	Serial string
	Order  int64
	Now    int64 // it must not have expired by then
}

// A StatusMove blocks or unblocks something. Exactly one member names it.
type StatusMove struct {
	Account  int64
	Voucher  string // serial
	From, To Status
}

// A Person may take part in what takes two.
type Person struct{ Name, Hash string }

// A Proposal is what one person proposed about an order, and another approves.
type Proposal struct {
	ID           int64
	Kind         State // Refunded or WrittenOff
	Order        int64
	OrderVersion int64 // the order must not have moved since
	Evidence     string
	Proposer     string
	Approver     string // empty until it is approved
	At           int64
}

// An Approval is another person's yes to a proposal that has none yet.
type Approval struct {
	Proposal int64
	Approver string
}
