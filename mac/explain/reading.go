package explain

import (
	"crypto/subtle"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
)

// A reading is one way to compute an operation: the right one, or one with a
// mistake in it. It is a value; whoever makes a mistake alters a copy.
type reading struct {
	op         mac.Op
	key        keystore.Handle
	profile    keystore.Profile
	cipher     keystore.Cipher
	arithmetic reference.Arithmetic
}

// with is r with the key at h.
func (r reading) with(keys *keystore.Snapshot, h keystore.Handle) reading {
	r.key, r.cipher = h, keys.Key(h).Cipher
	r.arithmetic = reference.Of(r.cipher)
	return r
}

// covers tells whether an input of the operation has field f.
func (r reading) covers(f mac.Field) bool {
	p, err := mac.PlanOf(r.op, &r.profile, r.cipher)
	if err != nil {
		return false
	}
	for _, fields := range [][]mac.Field{p.Session, p.Lock, p.Claimed, p.Made} {
		for _, g := range fields {
			if g == f {
				return true
			}
		}
	}
	return false
}

// A run is one chain with the data that it began with, which an encipherment
// replaces.
type run struct {
	chain mac.Chain
	data  []byte
	trace reference.Trace
}

// An outcome is what a reading gives.
type outcome struct {
	plan    *mac.Plan
	runs    []run
	claimed []byte // what the claim should have been; nil if there is none
	made    []byte // the MAC or command that is made; nil if none is
}

// compute runs r with the bytes of its key.
func (r reading) compute(keys *keystore.Snapshot) (*outcome, error) {
	plan, err := mac.PlanOf(r.op, &r.profile, r.cipher)
	if err != nil {
		return nil, err
	}
	if err := plan.Write(keys); err != nil {
		return nil, err
	}
	if err := reference.Insert(keys, &plan.Chain); err != nil {
		return nil, err
	}
	key := reference.Key(*keys.Secret(r.key))
	o := &outcome{plan: plan}
	for again := true; again; again = plan.Follow() {
		one := run{chain: plan.Chain, trace: r.arithmetic.Run(key, &plan.Chain)}
		if s := plan.Chain.Script; s != nil {
			one.data = append([]byte(nil), s.Data...)
		}
		one.trace.Answer(&plan.Chain)
		o.runs = append(o.runs, one)
	}
	plan.Judge()
	o.take()
	return o, nil
}

// take finds the results among what the chains gave.
func (o *outcome) take() {
	c, kind := &o.plan.Chain, o.plan.Op.Kind
	if _, claims := kind.Claims(); claims {
		o.claimed = append([]byte(nil), c.MAC[0][:len(mac.MAC{})]...)
		if c.Mode == mac.ModeEncipher {
			o.claimed = append([]byte(nil), c.Script.Data...)
		}
	}
	if _, makes := kind.Answers(); makes {
		o.made = append([]byte(nil), c.MAC[1][:len(mac.MAC{})]...)
	}
	if kind.Commands() {
		o.made = o.plan.Op.Command()
	}
}

func same(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
