package vectors

import (
	"encoding/xml"
	"io"
	"strings"
)

// The elements of a JUnit file as CI systems read them: a suite for a family, a
// case for a vector.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Skipped  int          `xml:"skipped,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string      `xml:"classname,attr"`
		Name    string      `xml:"name,attr"`
		Failure *junitProse `xml:"failure"`
		Error   *junitProse `xml:"error"`
		Skipped *junitProse `xml:"skipped"`
	}
	junitProse struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
	}
)

// WriteJUnit writes the report as a JUnit file, which has every vector of the
// families that were begun: one that was not answered, because the run broke
// off, is an error. Nothing in it is secret.
func (r Report) WriteJUnit(w io.Writer) error {
	all := junitSuites{Name: "vectors"}
	for i := range r.Families {
		s := r.Families[i].junit()
		all.Tests += s.Tests
		all.Failures += s.Failures
		all.Errors += s.Errors
		all.Skipped += s.Skipped
		all.Suites = append(all.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", " ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (r *FamilyReport) junit() junitSuite {
	failed := make(map[string]*junitProse, len(r.Failures))
	for _, f := range r.Failures {
		verdict, _, _ := strings.Cut(f.Want, " ")
		failed[f.ID] = &junitProse{Message: f.String(), Type: verdict}
	}
	skipped := make(map[string]*junitProse, len(r.Skipped))
	for _, s := range r.Skipped {
		skipped[s.ID] = &junitProse{Message: s.Reason}
	}
	suite := junitSuite{
		Name: r.Name, Tests: len(r.ids), Failures: len(failed), Skipped: len(skipped),
		Errors: len(r.ids) - r.Cases,
	}
	for i, id := range r.ids {
		c := junitCase{Class: "vectors." + r.Name, Name: id, Failure: failed[id], Skipped: skipped[id]}
		if i >= r.Cases {
			c.Error = &junitProse{Message: id + ": not answered: " + r.Error}
		}
		suite.Cases = append(suite.Cases, c)
	}
	return suite
}
