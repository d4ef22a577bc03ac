package vectors_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/vectors"
)

// A prose is a failure, an error or a skip, as a CI system reads it.
type prose struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
}

type testcase struct {
	Class   string `xml:"classname,attr"`
	Name    string `xml:"name,attr"`
	Failure *prose `xml:"failure"`
	Error   *prose `xml:"error"`
	Skipped *prose `xml:"skipped"`
}

type testsuites struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Skipped  int `xml:"skipped,attr"`
	Suites   []struct {
		Name  string     `xml:"name,attr"`
		Tests int        `xml:"tests,attr"`
		Cases []testcase `xml:"testcase"`
	} `xml:"testsuite"`
}

// junit writes a report and reads it back; what the file counts must be there.
func junit(t *testing.T, r vectors.Report) (all testsuites, text string) {
	t.Helper()
	var file bytes.Buffer
	if err := r.WriteJUnit(&file); err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(file.Bytes(), &all); err != nil {
		t.Fatalf("%v\n%s", err, file.String())
	}
	var tests, failures, errs, skipped int
	for _, s := range all.Suites {
		if s.Tests != len(s.Cases) || s.Tests == 0 {
			t.Errorf("suite %s says %d tests and has %d", s.Name, s.Tests, len(s.Cases))
		}
		for _, c := range s.Cases {
			tests++
			failures += count(c.Failure)
			errs += count(c.Error)
			skipped += count(c.Skipped)
			if c.Class != "vectors."+s.Name || c.Name == "" {
				t.Errorf("a case is named %q of %q", c.Name, c.Class)
			}
		}
	}
	if got, want := fmt.Sprint(all.Tests, all.Failures, all.Errors, all.Skipped), fmt.Sprint(tests, failures, errs, skipped); got != want {
		t.Errorf("the file says %s, and has %s", got, want)
	}
	for _, k := range vectors.Keys() {
		if strings.Contains(file.String(), fmt.Sprintf("%X", k.Secret[:])) {
			t.Errorf("the file has the key %s", k.Ref)
		}
	}
	return all, file.String()
}

func count(p *prose) int {
	if p == nil {
		return 0
	}
	return 1
}

// An editing HSM changes what the engine answers to some operations.
type editing struct {
	mac.HSM
	edit func(op *mac.Op)
}

func (e editing) Do(ctx context.Context, ops []mac.Op) error {
	err := e.HSM.Do(ctx, ops)
	for i := range ops {
		e.edit(&ops[i])
	}
	return err
}

func TestJUnit(t *testing.T) {
	hsm := engine(t, reference.Backend{}, vectors.Keys())
	families := []string{"published-load", "purchase"}
	refuse := editing{hsm, func(op *mac.Op) {
		if op.Kind == mac.KindPurchase && op.Levels == 4 {
			*op = mac.Op{Kind: op.Kind, Err: mac.ErrUnsupported}
		}
		if op.Kind == mac.KindLoadTAC {
			op.Err = mac.ErrTAC
		}
	}}
	report, err := vectors.Run(t.Context(), refuse, vectors.Options{Families: families, Partial: true})
	if !errors.Is(err, vectors.ErrFailed) {
		t.Errorf("error %v, want ErrFailed", err)
	}
	all, text := junit(t, report)
	if all.Tests != report.Cases() || all.Failures != 2 || all.Skipped == 0 || all.Errors != 0 {
		t.Errorf("%d tests, %d failures, %d skipped, %d errors", all.Tests, all.Failures, all.Skipped, all.Errors)
	}
	if report.Passed()+all.Failures+all.Skipped != report.Cases() {
		t.Errorf("%d passed of %d", report.Passed(), report.Cases())
	}
	for _, want := range []string{
		`message="load-ep-robur-tac: want accept, got &#34;mac: TAC: verification failed&#34;" type="accept"`,
		`<skipped message="` + mac.ErrUnsupported.Error() + `"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	strict, err := vectors.Run(t.Context(), refuse, vectors.Options{Families: families})
	if !errors.Is(err, vectors.ErrFailed) || len(strict.Failures()) != all.Failures+all.Skipped || len(strict.Skipped()) != 0 {
		t.Errorf("without Partial %d fail, %d are skipped", len(strict.Failures()), len(strict.Skipped()))
	}
}

// A refusal that brings a MAC along is no skip, and neither is a module that
// skips everything a pass.
func TestSkipsAreNoHidingPlace(t *testing.T) {
	hsm := engine(t, reference.Backend{}, vectors.Keys())
	o := vectors.Options{Families: []string{"purchase"}, Partial: true}
	report, err := vectors.Run(t.Context(), editing{hsm, func(op *mac.Op) { op.Err = mac.ErrUnsupported }}, o)
	if !errors.Is(err, vectors.ErrFailed) || len(report.Failures()) == 0 {
		t.Errorf("MACs beside a refusal: %d failures, %v", len(report.Failures()), err)
	}
	none := editing{hsm, func(op *mac.Op) { *op = mac.Op{Err: mac.ErrUnsupported} }}
	report, err = vectors.Run(t.Context(), none, o)
	if !errors.Is(err, vectors.ErrFailed) || len(report.Skipped()) != report.Cases() {
		t.Errorf("a module that computes nothing: %d of %d skipped, %v", len(report.Skipped()), report.Cases(), err)
	}
}

// breaking is an HSM that is gone after some batches.
type breaking struct {
	mac.HSM
	left int
}

func (b *breaking) Do(ctx context.Context, ops []mac.Op) error {
	if b.left--; b.left < 0 {
		return errors.New("the line is cut")
	}
	return b.HSM.Do(ctx, ops)
}

func TestJUnitOfABrokenRun(t *testing.T) {
	hsm := &breaking{engine(t, reference.Backend{}, vectors.Keys()), 3}
	report, err := vectors.Run(t.Context(), hsm, vectors.Options{Families: []string{"load"}, Batch: 10})
	if err == nil {
		t.Fatal("a run that broke off succeeds")
	}
	all, text := junit(t, report)
	if all.Tests-all.Errors != 30 || all.Errors == 0 || !strings.Contains(text, "not answered: vectors: load/") {
		t.Errorf("%d errors among %d tests:\n%s", all.Errors, all.Tests, text)
	}
}
