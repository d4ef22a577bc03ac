package ledger

import (
	"context"
	"errors"
)

// An engine is a database. Its errors are nil, errRefused, or what recharge
// says of a Ledger.
type engine interface {
	// read runs statements that change nothing. All of them see the same moment:
	// a decision that met money before and its order after another process's
	// commit would be wrong.
	read(ctx context.Context, all []ask) error

	// readers is how many may read at once what does not take long.
	readers() int

	// write runs steps, and then asks, as one transaction and returns when a
	// power cut can no longer undo it. proof is an event among what it stores, by
	// which the outcome can be asked for, or 0 where it does not matter.
	write(ctx context.Context, all []step, then []ask, proof int64) error

	// check goes through the whole store and is errLost where its form, whatever
	// is in it, is broken. It may take long.
	check(ctx context.Context) error

	ping(ctx context.Context) error
	close() error
}

// errRefused is a transaction that an index or a condition refused. Nothing was
// stored.
var errRefused = errors.New("ledger: refused by an index or a condition")
