package mac

import (
	"slices"

	"pbochsm/keystore"
)

// A batch is the working memory of one Do: the chains of the operations that
// are well formed, and where each came from. In a batch of many, operations that
// are alike become neighbours, in whatever order they come: that takes the
// same turns again and again, and a backend has chains of one shape side by side.
type batch struct {
	chains []Chain
	from   []int32

	places []uint8 // of each operation, see arrange

	again     []Chain // of issuer scripts that take a second run
	againFrom []int
}

// compile makes a chain of each operation that fits its key, and refuses the
// others.
func (b *batch) compile(keys *keystore.Snapshot, ops []Op) {
	b.chains = b.chains[:0]
	b.again, b.againFrom = b.again[:0], b.againFrom[:0]
	b.arrange(ops)
	var found admissions
	admitted := b.from[:0]
	for _, i := range b.from {
		op := &ops[i]
		op.Withdraw()
		c := b.next()
		if op.Err = found.of(op).admit(keys, op, c); op.Err != nil {
			*c = Chain{}
			b.chains = b.chains[:len(b.chains)-1]
			continue
		}
		admitted = append(admitted, i)
	}
	b.from = admitted
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

// many is how long a batch is that is worth being put in order.
const many = 64

// arrange lists all ops in from: by their levels, which cost a backend most, then
// those of one place after those of another, and within a place as they come.
func (b *batch) arrange(ops []Op) {
	n := len(ops)
	b.from = slices.Grow(b.from[:0], n)[:n]
	if n < many {
		for i := range b.from {
			b.from[i] = int32(i)
		}
		return
	}
	b.places = slices.Grow(b.places[:0], n)[:n]
	var next [(keystore.MaxLevels + 1) * numPlaces]int32
	for i := range ops {
		p := min(ops[i].Levels, keystore.MaxLevels)*numPlaces + placeOf(likenessOf(&ops[i]))
		b.places[i] = p
		next[p]++
	}
	sum := int32(0)
	for p, n := range next {
		next[p], sum = sum, sum+n
	}
	for i, p := range b.places {
		b.from[next[p]] = int32(i)
		next[p]++
	}
}

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

// A likeness is what decides how an operation is compiled: its kind, its number
// of levels and its key.
type likeness uint64

func likenessOf(op *Op) likeness {
	return likeness(op.Kind) | likeness(op.Levels)<<8 |
		likeness(op.Key.Set)<<16 | likeness(op.Key.Version)<<24 | likeness(op.Key.Algorithm)<<32
}

// Places are few, so that operations that are not alike may share one.
const numPlaces = 32

func placeOf(l likeness) uint8 { return uint8(uint64(l) * 0x9E3779B97F4A7C15 >> 59) }

// Admissions are what was found for the operations of a batch: neighbours are
// mostly alike, and a file is of a few kinds, keys and numbers of levels. Each
// likeness has one place, where the last of those that share it stays.
type admissions [numPlaces]admission

// of gives the place of op, empty if it holds another one's.
func (as *admissions) of(op *Op) *admission {
	l := likenessOf(op)
	a := &as[placeOf(l)]
	if a.of != l {
		*a = admission{}
	}
	return a
}

// An admission is what was found for an operation, which goes for all others
// that are like it.
type admission struct {
	of        likeness // 0: nothing was found
	procedure *procedure
	handle    keystore.Handle
	setting   setting
}

// admit finds the key of op, holds op against it and makes its chain.
func (a *admission) admit(keys *keystore.Snapshot, op *Op, c *Chain) error {
	if a.of == 0 {
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
	*a = admission{likenessOf(op), p, h, settingOf(keys, op, h)}
	c.Key = h
	return a.chain(keys, op, c)
}
