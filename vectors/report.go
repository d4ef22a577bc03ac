package vectors

import (
	"errors"
	"fmt"

	"pbochsm/mac"
)

// A Report is the outcome of a Run.
type Report struct {
	Families []FamilyReport `json:"families"`
}

// A FamilyReport is the outcome of one family.
type FamilyReport struct {
	Name     string    `json:"name"`
	Cases    int       `json:"cases"` // put to the module and answered
	Failures []Failure `json:"failures,omitempty"`
	Skipped  []Skip    `json:"skipped,omitempty"`
	Error    string    `json:"error,omitempty"` // why the run ended within this family

	ids      []string // of all its vectors
	computed int      // of those that passed: the module did what was asked, and did not refuse it
}

// Passed counts the vectors that were answered rightly.
func (r FamilyReport) Passed() int { return r.Cases - len(r.Failures) - len(r.Skipped) }

// A Skip is a vector that the module says it cannot compute.
type Skip struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// A Failure is a vector that was answered wrongly.
type Failure struct {
	ID   string `json:"id"`
	Want string `json:"want"`
	Got  string `json:"got"`
}

// String says it in one line.
func (f Failure) String() string { return f.ID + ": want " + f.Want + ", got " + f.Got }

// Cases counts the vectors that were put.
func (r Report) Cases() int {
	n := 0
	for _, f := range r.Families {
		n += f.Cases
	}
	return n
}

// Failures lists the vectors that were answered wrongly, of all families.
func (r Report) Failures() []Failure {
	var all []Failure
	for _, f := range r.Families {
		all = append(all, f.Failures...)
	}
	return all
}

// Passed counts the vectors that were answered rightly.
func (r Report) Passed() int {
	n := 0
	for _, f := range r.Families {
		n += f.Passed()
	}
	return n
}

// Skipped lists the vectors that the module cannot compute, of all families.
func (r Report) Skipped() []Skip {
	var all []Skip
	for _, f := range r.Families {
		all = append(all, f.Skipped...)
	}
	return all
}

// computed counts the vectors that the module passed by computing.
func (r Report) computed() int {
	n := 0
	for _, f := range r.Families {
		n += f.computed
	}
	return n
}

// err is ErrFailed with the first of the failures, or nil. A module that can
// compute nothing has passed nothing.
func (r Report) err() error {
	failures := r.Failures()
	if skipped := r.Skipped(); len(failures) == 0 && len(skipped) > 0 && r.computed() == 0 {
		return fmt.Errorf("%w: nothing was computed, and %d of %d vectors were skipped; %s", ErrFailed, len(skipped), r.Cases(), skipped[0].Reason)
	}
	if len(failures) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d of %d vectors failed; %s", ErrFailed, len(failures), r.Cases(), failures[0])
}

// holds tells whether op came back as it should. A refusal must be the right
// one, so that a low failure cannot hide behind a high one, and must bring no
// MAC along.
func (v *Vector) holds(op *mac.Op) bool {
	if want := v.Expect.refusal(op.Kind); want != nil {
		return errors.Is(op.Err, want) && !gaveAway(op)
	}
	if op.Err != nil {
		return false
	}
	if op.Kind.IsGeneric() {
		return v.Answer == genericAnswer(op)
	}
	if op.Kind.Commands() {
		return v.Answer == fmt.Sprintf("%X", op.Command()) && op.Answer == [4]byte{}
	}
	if _, makes := op.Kind.Answers(); !makes {
		return op.Answer == [4]byte{} && op.Command() == nil
	}
	return v.Answer == "" || v.Answer == fmt.Sprintf("%X", op.Answer)
}

// gaveAway tells whether op came back with something made.
func gaveAway(op *mac.Op) bool {
	if g := op.Generic(); g != nil && (g.MAC != [8]byte{} || g.Chain != [8]byte{}) {
		return true
	}
	return op.Answer != [4]byte{} || op.Command() != nil
}

// failure words a wrong answer. What a module gave away with a refusal, or
// where it should have refused, is not repeated: it may be the right MAC.
func (v *Vector) failure(op *mac.Op) Failure {
	f := Failure{ID: v.ID, Want: string(v.Expect)}
	refuse := v.Expect.refusal(op.Kind) != nil
	if v.Answer != "" {
		f.Want += " " + v.Answer
	}
	switch {
	case op.Err != nil && gaveAway(op):
		f.Got = fmt.Sprintf("%q and a MAC with it", op.Err)
	case op.Err != nil:
		f.Got = fmt.Sprintf("%q", op.Err)
	case refuse:
		f.Got = "success"
	case op.Kind.IsGeneric():
		f.Got = "success with " + genericAnswer(op)
	case op.Kind.Commands():
		f.Got = fmt.Sprintf("success with %X", op.Command())
	default:
		f.Got = fmt.Sprintf("success with %X", op.Answer)
	}
	return f
}
