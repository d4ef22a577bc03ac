package explain

import (
	"context"
	"errors"
	"fmt"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// An Explainer explains operations under the keys that it holds.
type Explainer struct {
	Keys mac.Keys
	// HSM answers with the same keys. What it says is the verdict, and it is
	// asked some hundred thousand operations where a factor is searched for.
	HSM mac.HSM
}

// errExpected is a MAC or command that is another than somebody expected.
var errExpected = fmt.Errorf("explain: what was expected is not what comes out: %w", mac.ErrVerify)

// A work is one explanation in the making.
type work struct {
	keys   *keystore.Snapshot
	hsm    mac.HSM
	op     mac.Op // as it was asked
	expect []byte // what the answer should be; nil if nobody said
	open   bool   // the keys may be shown
	refuse error  // why the module answers nothing; nil if it answers
	answer []byte // what the module made
	base   reading
	code   []byte // an authentication code that was given and does not belong here
	found  bool   // base has a key
	bytes  bool   // and its bytes are here
	x      *Explanation
}

// Explain explains op. expect is what another has computed in place of the MAC
// or command that op makes, or nil. The error is for what cannot be explained at
// all; what the module says to op is in the Explanation.
func (e *Explainer) Explain(ctx context.Context, op mac.Op, expect []byte) (*Explanation, error) {
	keys := e.Keys.Acquire()
	defer keys.Release()
	profile := keys.Profile(op.Key.Set)
	w := &work{
		keys: keys, hsm: e.HSM, op: op, expect: expect, open: keys.Mode() == keystore.ModeTest,
		x: &Explanation{Operation: op.Kind.String(), Profile: profile.Name},
	}
	w.x.Hidden = !w.open
	if err := w.ask(ctx, op); err != nil {
		return nil, err
	}
	first := w.refuse
	w.base = reading{op: op, profile: *profile, cipher: keystore.Cipher3DES}
	if err := w.settleCode(ctx); err != nil {
		return nil, err
	}
	if err := w.findKey(); err != nil {
		return nil, err
	}
	base, err := w.tell()
	if err != nil {
		return nil, err
	}
	w.judge(first)
	return w.x, w.diagnose(ctx, base)
}

// ask has the module answer op.
func (w *work) ask(ctx context.Context, op mac.Op) error {
	ops := []mac.Op{op.Clone()}
	if err := w.hsm.Do(ctx, ops); err != nil {
		return err
	}
	w.refuse, w.answer = ops[0].Err, nil
	if w.refuse != nil {
		return nil
	}
	if _, makes := op.Kind.Answers(); makes {
		w.answer = append([]byte(nil), ops[0].Answer[:]...)
	}
	if op.Kind.Commands() {
		w.answer = append([]byte(nil), ops[0].Command()...)
	}
	return nil
}

// settleCode takes an authentication code away that the profile does not have,
// and asks again without it. See [PBOC] 5.3.
func (w *work) settleCode(ctx context.Context) error {
	if f, known := mac.InvalidField(w.refuse); !known || f != mac.AuthCode {
		return nil
	}
	w.code = append([]byte(nil), mac.AuthCode.Bytes(&w.op)...)
	if len(w.code) == 0 {
		w.note("the profile %s of set %02X has an authentication code in this MAC, and none was given: read it from the card with 80CA000009 and give it with --auth-code",
			w.x.Profile, w.op.Key.Set)
		return nil
	}
	w.note("the profile %s of set %02X has no authentication code in this MAC: what follows leaves the code out", w.x.Profile, w.op.Key.Set)
	mac.AuthCode.SetLen(&w.base.op, 0)
	return w.ask(ctx, w.base.op)
}

// findKey gives base the key that it asks for, whatever its state, if there is
// one.
func (w *work) findKey() error {
	plan, err := mac.PlanOf(w.base.op, &w.base.profile, w.base.cipher)
	if plan == nil {
		return err
	}
	id := w.op.Key
	ref := keystore.Ref{Set: id.Set, Usage: plan.Usage, Version: id.Version, Algorithm: id.Algorithm}
	w.x.Key = ref.String()
	h, found := w.handle(ref)
	if !found {
		w.noteKeys(plan.Usage)
		return nil
	}
	k := w.keys.Key(h)
	w.found, w.x.Cipher = true, k.Cipher.String()
	w.base = w.base.with(w.keys, h)
	if k.Home.InToken() {
		w.note("the key lives in a token, which keeps it: what is MACed is shown, but nothing is computed")
		return nil
	}
	if k.Levels != w.op.Levels {
		w.note("the key has %d levels of diversification, and the request %d factors", k.Levels, w.op.Levels)
	}
	w.bytes = true
	return nil
}

func (w *work) handle(ref keystore.Ref) (keystore.Handle, bool) {
	for i, k := range w.keys.Keys() {
		if k.Ref == ref {
			return keystore.Handle(i), true
		}
	}
	return 0, false
}

// noteKeys tells which keys of the usage there are instead.
func (w *work) noteKeys(usage keystore.Usage) {
	for _, k := range w.keys.Keys() {
		if k.Usage == usage && k.Set == w.op.Key.Set {
			w.note("there is no key %s; there is %s, %s", w.x.Key, k.Ref, k.State)
		}
	}
}

func (w *work) note(format string, a ...any) {
	w.x.Notes = append(w.x.Notes, fmt.Sprintf(format, a...))
}

// judge makes the verdict of what the module said at first, and of what was
// expected.
func (w *work) judge(first error) {
	_, claims := w.op.Kind.Claims()
	switch {
	case errors.Is(first, mac.ErrVerify):
		w.x.Verdict = Mismatch
	case first != nil:
		w.x.Verdict, w.x.Reason = Refused, first.Error()
	case w.expect != nil && !same(w.expect, w.answer):
		w.x.Verdict, first = Mismatch, errExpected
	case claims:
		w.x.Verdict = Holds
	default:
		w.x.Verdict = Made
	}
	w.x.err = first
	if w.answer != nil && w.op.Kind.Commands() {
		w.x.Command = hexadecimal(w.answer)
	}
}
