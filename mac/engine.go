package mac

import (
	"context"
	"crypto/subtle"
	"sync"

	"pbochsm/keystore"
)

// Keys gives the snapshot that a batch is answered from. *keystore.Live is one.
type Keys interface {
	Acquire() *keystore.Snapshot
}

// An Engine is the HSM that has the keys. It checks each operation against
// the key it names, has the backend run the arithmetic of the whole batch,
// compares in constant time, and reveals a MAC only where the claimed one was
// right. It is safe for concurrent use.
type Engine struct {
	keys    Keys
	backend Backend
	batches sync.Pool
}

var _ HSM = (*Engine)(nil)

// NewEngine answers with the given keys and arithmetic.
func NewEngine(keys Keys, backend Backend) *Engine {
	return &Engine{keys: keys, backend: backend}
}

// A batch is the working memory of one Do: the chains of the operations that
// are well formed, and where each came from.
type batch struct {
	chains []Chain
	from   []int
}

// Do answers ops in one run of the backend.
func (e *Engine) Do(ctx context.Context, ops []Op) error {
	b, _ := e.batches.Get().(*batch)
	if b == nil {
		b = new(batch)
	}
	defer e.batches.Put(b)

	keys := e.keys.Acquire()
	defer keys.Release()
	b.compile(keys, ops)
	defer b.clear()
	if len(b.chains) == 0 {
		return nil
	}
	if err := e.backend.Run(ctx, keys, b.chains); err != nil {
		for i := range ops {
			ops[i].Err = err
		}
		return err
	}
	for i := range b.chains {
		op := &ops[b.from[i]]
		recipes[op.Kind].judge(&b.chains[i], op)
	}
	return nil
}

// compile makes a chain of each operation that fits its key, and refuses the
// others.
func (b *batch) compile(keys *keystore.Snapshot, ops []Op) {
	b.chains, b.from = b.chains[:0], b.from[:0]
	for i := range ops {
		op := &ops[i]
		op.Answer = [4]byte{}
		h, err := admit(keys, op)
		op.Err = err
		if err != nil {
			continue
		}
		b.chains = append(b.chains, Chain{Key: h})
		b.from = append(b.from, i)
		recipes[op.Kind].compile(op, &b.chains[len(b.chains)-1])
	}
}

// admit finds the key of op and holds op against it.
func admit(keys *keystore.Snapshot, op *Op) (keystore.Handle, error) {
	if !op.Kind.known() {
		return 0, ErrUnsupported
	}
	r := &recipes[op.Kind]
	if err := r.check(op); err != nil {
		return 0, err
	}
	h, err := keys.Find(keystore.Ref{
		Set: op.Key.Set, Usage: r.usage, Version: op.Key.Version, Algorithm: op.Key.Algorithm,
	})
	if err != nil {
		return 0, err
	}
	if keys.Key(h).Levels != op.Levels {
		return 0, Factors.invalid()
	}
	return h, nil
}

// judge compares the claimed MAC and releases the one that was made. A wrong
// claim takes the same path as a right one up to the last line.
func (r *recipe) judge(c *Chain, op *Op) {
	if c.Err != nil {
		op.Err = c.Err
		return
	}
	right := 1
	if r.claimed != nil {
		right = subtle.ConstantTimeCompare(c.MAC[0][:4], r.claim.Bytes(op))
	}
	if r.made != nil {
		subtle.ConstantTimeCopy(right, op.Answer[:], c.MAC[1][:4])
	}
	if right == 0 {
		op.Err = r.wrong
	}
}

// clear wipes what the batch learned.
func (b *batch) clear() { clear(b.chains) }
