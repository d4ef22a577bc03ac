package vectors

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"pbochsm/mac"
)

// ErrFailed is the error of a module that answered a vector wrongly.
var ErrFailed = errors.New("vectors: the module does not conform")

// Options narrow a Run. The zero value runs everything.
type Options struct {
	Families []string // names of families; none: all
	Batch    int      // operations in one Do; 0: a whole family

	// Partial lets a module say of a vector that it cannot compute such a thing
	// (mac.ErrUnsupported), as a token does of ciphers that it lacks. The vector
	// is then skipped, and reported so; otherwise it has failed.
	Partial bool
}

// Run puts the vectors to hsm, which must hold Keys. Its error is nil only if
// there were vectors and every answer was right; ErrFailed says that an answer
// was wrong, and the report which.
//
// Run measures nothing but answers: it is a unit test, a test over a wire, and
// the self-test of a daemon before it serves.
func Run(ctx context.Context, hsm mac.HSM, o Options) (Report, error) {
	families, err := load()
	if err != nil {
		return Report{}, err
	}
	families, err = o.pick(families)
	if err != nil {
		return Report{}, err
	}
	return run(ctx, hsm, families, o)
}

// pick leaves the families that were asked for. A name without a family is an
// error: a check that was meant and does not happen must not look green.
func (o Options) pick(families []Family) ([]Family, error) {
	if len(o.Families) == 0 {
		return families, nil
	}
	var picked []Family
	for _, name := range o.Families {
		i := slices.IndexFunc(families, func(f Family) bool { return f.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("vectors: no family is named %q", name)
		}
		picked = append(picked, families[i])
	}
	return picked, nil
}

func run(ctx context.Context, hsm mac.HSM, families []Family, o Options) (Report, error) {
	var report Report
	if len(families) == 0 {
		return report, errors.New("vectors: there are no families")
	}
	for i := range families {
		f, err := families[i].run(ctx, hsm, o)
		report.Families = append(report.Families, f)
		if err != nil {
			return report, err
		}
	}
	return report, report.err()
}

// run puts one family to hsm. The report of one that broke off says so.
func (f *Family) run(ctx context.Context, hsm mac.HSM, o Options) (report FamilyReport, err error) {
	report = FamilyReport{Name: f.Name}
	for i := range f.Vectors {
		report.ids = append(report.ids, f.Vectors[i].ID)
	}
	defer func() {
		if err != nil {
			report.Error = err.Error()
		}
	}()
	if len(f.Vectors) == 0 {
		return report, fmt.Errorf("vectors: family %s is empty", f.Name)
	}
	batch := o.Batch
	if batch <= 0 {
		batch = len(f.Vectors)
	}
	for vectors := range slices.Chunk(f.Vectors, batch) {
		ops, err := answer(ctx, hsm, vectors)
		if err != nil {
			return report, err
		}
		report.judge(vectors, ops, o.Partial)
	}
	return report, nil
}

// judge takes answered vectors into the report.
func (r *FamilyReport) judge(vectors []Vector, ops []mac.Op, partial bool) {
	for i := range vectors {
		v, op := &vectors[i], &ops[i]
		r.Cases++
		switch {
		case v.holds(op):
			if v.Expect == Accept || v.Expect == Made {
				r.computed++
			}
		case partial && errors.Is(op.Err, mac.ErrUnsupported) && !gaveAway(op):
			r.Skipped = append(r.Skipped, Skip{v.ID, op.Err.Error()})
		default:
			r.Failures = append(r.Failures, v.failure(op))
		}
	}
}

// errUnanswered is in an op until the module has answered it, and so are bytes
// that a refusal must clear.
var errUnanswered = errors.New("vectors: the module did not answer")

// answer puts vectors to hsm in one Do.
func answer(ctx context.Context, hsm mac.HSM, vectors []Vector) (ops []mac.Op, err error) {
	ops = make([]mac.Op, len(vectors))
	for i := range vectors {
		if ops[i], err = vectors[i].Op(); err != nil {
			return nil, err
		}
		spoil(&ops[i])
	}
	if err := hsm.Do(ctx, ops); err != nil {
		return nil, fmt.Errorf("vectors: %s and its batch: %w", vectors[0].ID, err)
	}
	return ops, again(ctx, hsm, vectors, ops)
}

// mostSilent is how many vectors in a row may get no answer alone before the
// module is gone.
const mostSilent = 3

// again puts each vector alone that got no answer: over a wire, one reply that
// cannot be read takes those behind it along.
func again(ctx context.Context, hsm mac.HSM, vectors []Vector, ops []mac.Op) error {
	silent := 0
	for i := range ops {
		if answered(ops[i].Err) || silent == mostSilent {
			continue
		}
		op, err := vectors[i].Op()
		if err != nil {
			return err
		}
		spoil(&op)
		alone := []mac.Op{op}
		switch err := hsm.Do(ctx, alone); {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil || !answered(alone[0].Err):
			silent++
		default:
			ops[i], silent = alone[0], 0
		}
	}
	return nil
}

// answered tells whether err is what a module can have answered.
func answered(err error) bool {
	if err == nil || errors.Is(err, mac.ErrUnsupported) || errors.Is(err, mac.ErrVerify) {
		return true
	}
	for _, refusal := range refusals {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}
