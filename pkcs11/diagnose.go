//go:build cgo && !nopkcs11 && !windows

package pkcs11

import (
	"errors"
	"fmt"
)

// Diagnose asks the token all that it could be asked to do, by known answers. A
// fault of the token ends it with an error; what the token cannot do is a
// finding.
func (t *Token) Diagnose() (d Diagnosis, err error) {
	err = t.use(func(x calls) error {
		for form := range sessionForms {
			if sessionForms[form] == "" {
				continue
			}
			if err := x.tryForm(t.lib, SessionForm(form), &d); err != nil {
				return err
			}
		}
		return x.tryWays(t.lib, t.cfg.TAC, &d)
	})
	if err != nil {
		return d, err
	}
	var drawn [16]byte
	return d, d.add("random numbers", false, "", t.Random(drawn[:]))
}

// add notes the result of a trial, unless the token is to blame for it.
func (d *Diagnosis) add(question string, needed bool, detail string, err error) error {
	f := Finding{Question: question, Works: err == nil, Needed: needed, Detail: detail}
	if err != nil {
		if classify(err) > classRequest && !errors.Is(err, errAnswer) {
			return fmt.Errorf("%s: %w", question, err)
		}
		f.Detail = err.Error()
	}
	d.Findings = append(d.Findings, f)
	return nil
}

// tryForm computes transactions with one form of the session key. Only the form
// of the profile is needed.
func (x calls) tryForm(l *library, form SessionForm, d *Diagnosis) error {
	profile := *x.profile
	profile.Session = form
	y := calls{x.c, x.s, &profile}
	answers := fitting(x.profile, knownAnswers)
	for i := range answers {
		k := &answers[i]
		need, formless := needs(k.cipher, k.chain.Final), k.cipher == cipherSM4
		formless = formless || need == script
		if need == foldTAC || formless && form != x.profile.Session {
			continue // tryWays does it; or the form says nothing to it
		}
		question := k.name
		if !formless {
			question += ", session key as " + form.String()
		}
		needed := need == must && form == x.profile.Session
		if err := d.add(question, needed, "the known answer", y.prove(l, k, WayHost, 0)); err != nil {
			return err
		}
	}
	return nil
}

// tryWays folds TAC keys in every way, the best first.
func (x calls) tryWays(l *library, floor TACWay, d *Diagnosis) error {
	d.TAC = WayNone
	for way := WayVendor; way >= WayHost; way-- {
		kek, err := x.proveWay(l, fitting(x.profile, knownAnswers), way)
		if kek != 0 {
			_ = x.c.DestroyObject(x.s, kek)
		}
		detail := way.Exposes()
		if err == nil && way < floor {
			detail += "; below what the settings allow"
		}
		if err == nil && way >= floor && d.TAC == WayNone {
			d.TAC = way
			detail += "; used"
		}
		if err := d.add("TAC, folded by way "+way.String(), false, detail, err); err != nil {
			return err
		}
	}
	return nil
}
