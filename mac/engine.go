package mac

import (
	"context"
	"crypto/subtle"
	"encoding/binary"
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

var (
	_ HSM    = (*Engine)(nil)
	_ Prompt = (*Engine)(nil)
)

// NewEngine answers with the given keys and arithmetic.
func NewEngine(keys Keys, backend Backend) *Engine {
	return &Engine{keys: keys, backend: backend}
}

// Prompt tells whether the arithmetic waits for nothing; nor does what is around it.
func (e *Engine) Prompt() bool { return isPrompt(e.backend) }

// Do answers ops in one run of the backend.
func (e *Engine) Do(ctx context.Context, ops []Op) error {
	b, _ := e.batches.Get().(*batch)
	if b == nil {
		b = new(batch)
	}
	defer e.batches.Put(b)

	keys := e.keys.Acquire()
	defer keys.Release()
	defer b.clear()
	b.compile(keys, ops)
	if len(b.chains) == 0 {
		return nil
	}
	if err := e.backend.Run(ctx, keys, b.chains); err != nil {
		for i := range ops {
			ops[i].Err = err
		}
		return err
	}
	if err := e.runAgain(ctx, keys, b, ops); err != nil {
		return err
	}
	for i := range b.chains {
		op := &ops[b.from[i]]
		recipes[op.Kind].judge(&b.chains[i], op)
	}
	return nil
}

// runAgain runs the chains that follow those of b, where there are any, and
// puts their answers in the place of the first.
func (e *Engine) runAgain(ctx context.Context, keys *keystore.Snapshot, b *batch, ops []Op) error {
	for i := range b.chains {
		c, op := &b.chains[i], &ops[b.from[i]]
		if c.Script != nil && recipes[op.Kind].follow(op, c, settingOf(keys, op, c.Key)) {
			b.again = append(b.again, *c)
			b.againFrom = append(b.againFrom, i)
		}
	}
	if len(b.again) == 0 {
		return nil
	}
	if err := e.backend.Run(ctx, keys, b.again); err != nil {
		for i := range ops {
			ops[i].Err = err
		}
		return err
	}
	for i := range b.again {
		b.chains[b.againFrom[i]] = b.again[i]
	}
	return nil
}

func settingOf(keys *keystore.Snapshot, op *Op, h keystore.Handle) setting {
	return setting{keys.Profile(op.Key.Set), keys.Key(h).Cipher}
}

// judge compares the claimed MAC and releases the one that was made. A wrong
// claim takes the same path as a right one up to the last line.
func (r *recipe) judge(c *Chain, op *Op) {
	if c.Err != nil {
		op.Err = c.Err
		return
	}
	if op.Kind.IsGeneric() {
		op.Generic().judge(c, op)
		return
	}
	if op.Kind.IsRaw() {
		op.Raw().judge(c, op)
		return
	}
	if r.command != nil {
		r.command.judge(r, c, op)
		return
	}
	right := 1
	if r.claimed != nil {
		right = subtle.ConstantTimeEq(word(c.MAC[0][:]), word(r.claim.Bytes(op)))
	}
	if r.made != nil {
		made := subtle.ConstantTimeSelect(right, int(word(c.MAC[1][:])), 0)
		binary.BigEndian.PutUint32(op.Answer[:], uint32(made))
	}
	if right == 0 {
		op.Err = r.wrong
	}
}

// word is the left half of a MAC.
func word(b []byte) int32 { return int32(binary.BigEndian.Uint32(b)) }
