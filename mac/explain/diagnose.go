package explain

import (
	"context"
	"fmt"
	"strings"

	"pbochsm/mac"
)

// A target is the MAC that was seen in place of the right one: the card's
// claim, or what somebody expected the answer to be.
type target struct {
	value []byte
	of    func(*outcome) []byte
}

// target gives what there is to find out about base, if there is anything.
// Without base, of which there is no key, a claim may still fit another key.
func (w *work) target(base *outcome) (target, bool) {
	claim, claims := w.op.Kind.Claims()
	if claims && (base == nil || !same(base.claimed, claim.Bytes(&w.op))) {
		return target{claim.Bytes(&w.op), func(o *outcome) []byte { return o.claimed }}, true
	}
	earned := w.open || w.answer != nil
	if w.expect != nil && earned && (base == nil || !same(base.made, w.expect)) {
		return target{w.expect, func(o *outcome) []byte { return o.made }}, true
	}
	return target{}, false
}

// diagnose looks for the mistake behind a MAC that is wrong: one, a factor of
// which part is unknown, then two at once.
func (w *work) diagnose(ctx context.Context, base *outcome) error {
	t, wanted := w.target(base)
	if !wanted || base == nil && w.found {
		return nil
	}
	singles, err := w.try(ctx, t)
	if err != nil || len(w.x.Mistakes) > 0 || base == nil {
		return err
	}
	if err := w.searchASN(ctx); err != nil || len(w.x.Mistakes) > 0 {
		return err
	}
	if err := w.tryPairs(ctx, t, singles); err != nil || len(w.x.Mistakes) > 0 {
		return err
	}
	w.note("no mistake that this program knows gives that value: another card, another issuer's key, or a field that was changed on its way")
	if w.base.covers(mac.AuthCode) && len(w.code) == 0 && len(mac.AuthCode.Bytes(&w.op)) == 0 {
		w.note("a city card may have an authentication code of CJ/T 166 in this MAC: read it with 80CA000009 and give it with --auth-code")
	}
	return nil
}

// tried are the candidates of one mistake.
type tried struct {
	mistake int
	all     []candidate
}

// try makes every mistake by itself; without a key of the operation's own, that
// of another key.
func (w *work) try(ctx context.Context, t target) (singles []tried, err error) {
	for i, m := range mistakes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !w.found && m.name != "key" {
			continue
		}
		of := tried{i, m.make(w, w.base)}
		for j := range of.all {
			of.all[j].Mistake = m.name
		}
		w.hold(of.all, t)
		singles = append(singles, of)
	}
	return singles, nil
}

// tryPairs makes every two mistakes at once.
func (w *work) tryPairs(ctx context.Context, t target, singles []tried) error {
	for _, of := range singles {
		for _, c := range of.all {
			if err := ctx.Err(); err != nil {
				return err
			}
			for i := of.mistake + 1; i < len(mistakes); i++ {
				pairs := mistakes[i].make(w, c.r)
				for j := range pairs {
					second := &pairs[j]
					second.Mistake = c.Mistake + "+" + mistakes[i].name
					second.Text = c.Text + "; and " + second.Text
					second.Mend = c.Mend + "; and " + second.Mend
					second.byFlags = second.byFlags && c.byFlags
				}
				w.hold(pairs, t)
			}
		}
	}
	return nil
}

// hold keeps the first of the candidates of one mistake whose MAC is the one
// that was seen. Others may be the same to this MAC: whether the halves of a key
// that is folded are swapped, nobody can tell.
func (w *work) hold(candidates []candidate, t target) {
	for i := range candidates {
		c := &candidates[i]
		o, err := c.r.compute(w.keys)
		if err != nil || !same(t.of(o), t.value) {
			continue
		}
		if c.byFlags {
			c.Flags = w.flags(&c.r.op)
		}
		w.x.Mistakes = append(w.x.Mistakes, c.Finding)
		return
	}
}

// flags says what of other is to be said in place of what was.
func (w *work) flags(other *mac.Op) string {
	var all []string
	if other.Key != w.op.Key {
		all = append(all, "--key "+other.Key.String())
	}
	if other.Levels != w.op.Levels || other.Factors != w.op.Factors {
		for _, f := range other.Factors[:other.Levels] {
			all = append(all, "--factor "+hexadecimal(f[:]))
		}
	}
	for _, f := range w.op.Kind.Inputs() {
		if now := f.Bytes(other); !same(now, f.Bytes(&w.op)) {
			all = append(all, fmt.Sprintf("--%s %X", f, now))
		}
	}
	return strings.Join(all, " ")
}
