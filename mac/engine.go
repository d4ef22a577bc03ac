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

// A batch is the working memory of one Do: the chains of the operations that
// are well formed, and where each came from.
type batch struct {
	chains []Chain
	from   []int

	again     []Chain // of issuer scripts that take a second run
	againFrom []int
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

// compile makes a chain of each operation that fits its key, and refuses the
// others.
func (b *batch) compile(keys *keystore.Snapshot, ops []Op) {
	b.chains, b.from = b.chains[:0], b.from[:0]
	b.again, b.againFrom = b.again[:0], b.againFrom[:0]
	var found admissions
	for i := range ops {
		op := &ops[i]
		op.Withdraw()
		c := b.next()
		if op.Err = found.of(op).admit(keys, op, c); op.Err != nil {
			*c = Chain{}
			b.chains = b.chains[:len(b.chains)-1]
			continue
		}
		b.from = append(b.from, i)
	}
}

// next is one more chain, zero: the memory beyond those of b always is.
func (b *batch) next() *Chain {
	n := len(b.chains)
	if n == cap(b.chains) {
		b.chains = append(b.chains, Chain{})
	}
	b.chains = b.chains[:n+1]
	return &b.chains[n]
}

// Admissions are what was found for the operations of a batch: neighbours are
// mostly alike, and a file is of a few kinds, keys and numbers of levels that
// come in any order. Each has one place, where the last of those that share it
// stays.
type admissions [32]admission

// of gives the place of op, empty if it holds another one's.
func (as *admissions) of(op *Op) *admission {
	k := op.Key
	i := (uint32(op.Kind)*0x9E3779B1 + uint32(op.Levels)*0x85EBCA6B + (uint32(k.Set)<<16|uint32(k.Version)<<8|uint32(k.Algorithm))*0xC2B2AE35) >> 27
	a := &as[i]
	if a.kind != op.Kind || a.key != op.Key || a.levels != op.Levels {
		*a = admission{}
	}
	return a
}

// An admission is what was found for an operation, which goes for others too as
// long as they are of its kind, key and number of levels.
type admission struct {
	kind   Kind // 0: nothing was found
	levels uint8
	key    KeyID

	procedure *procedure
	handle    keystore.Handle
	setting   setting
}

// admit finds the key of op, holds op against it and makes its chain.
func (a *admission) admit(keys *keystore.Snapshot, op *Op, c *Chain) error {
	if a.kind == 0 {
		return a.find(keys, op, c)
	}
	if err := a.procedure.check(op, a.setting.profile); err != nil {
		return err
	}
	c.Key = a.handle
	return a.chain(keys, op, c)
}

// chain makes the chain of an operation that has been checked.
func (a *admission) chain(keys *keystore.Snapshot, op *Op, c *Chain) error {
	if err := a.procedure.chain(op, c, a.setting); err != nil {
		return err
	}
	if op.Kind == KindWriteKey {
		return writeKey(keys, op, c)
	}
	return nil
}

// find is admit for an operation unlike those before. A field that is out of
// range comes before a key that does not fit.
func (a *admission) find(keys *keystore.Snapshot, op *Op, c *Chain) error {
	if !op.Kind.known() {
		return ErrUnsupported
	}
	if _, needed := op.Kind.WithSerial(); needed {
		return ErrNoSerials
	}
	if op.Kind.IsGeneric() {
		g := op.Generic()
		if g == nil {
			return ErrInvalid
		}
		return g.admit(keys, op, c)
	}
	if op.Kind.IsRaw() {
		r := op.Raw()
		if r == nil {
			return ErrInvalid
		}
		return r.admit(keys, op, c)
	}
	profile := keys.Profile(op.Key.Set)
	p := op.Kind.under(profile)
	if err := p.check(op, profile); err != nil {
		return err
	}
	h, err := keys.Find(keystore.Ref{
		Set: op.Key.Set, Usage: p.usage, Version: op.Key.Version, Algorithm: op.Key.Algorithm,
	})
	if err != nil {
		return err
	}
	if keys.Key(h).Levels != op.Levels {
		return Factors.invalid()
	}
	*a = admission{op.Kind, op.Levels, op.Key, p, h, settingOf(keys, op, h)}
	c.Key = h
	return a.chain(keys, op, c)
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

// clear wipes what the batch learned.
func (b *batch) clear() {
	for _, chains := range [][]Chain{b.chains, b.again} {
		for i := range chains {
			if s := chains[i].Script; s != nil {
				clear(s.Data)
			}
		}
		clear(chains)
	}
}
