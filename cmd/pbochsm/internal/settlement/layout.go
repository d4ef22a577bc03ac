package settlement

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"go.yaml.in/yaml/v3"

	"pbochsm/mac/digits"
)

// A Layout is a format with each value in the same place of every line. It is
// written as YAML.
type Layout struct {
	Skip       int               `yaml:"skip"`       // lines before the first record
	Columns    []Place           `yaml:"columns"`    //
	Operations map[string]string `yaml:"operations"` // the file's words for operations, if it has its own
	Constants  map[string]string `yaml:"constants"`
	Factors    []string          `yaml:"factors"` // constant outer factors
}

var _ Format = (*Layout)(nil)

// A Place is where a value stands in a line: it is Width bytes long and begins
// at byte Start, the first one of a line being 1. Blanks around a value do not
// count; nothing but blanks is no value.
type Place struct {
	Name  string `yaml:"name"`
	Start int    `yaml:"start"`
	Width int    `yaml:"width"`
}

// ReadLayout reads a layout and refuses members that it does not have.
func ReadLayout(r io.Reader) (*Layout, error) {
	decoder := yaml.NewDecoder(io.LimitReader(r, 1<<20))
	decoder.KnownFields(true)
	l := new(Layout)
	if err := decoder.Decode(l); err != nil {
		return nil, err
	}
	if err := decoder.Decode(new(Layout)); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one layout")
	}
	return l, nil
}

// With gives a layout that has more constants, which have precedence over its
// own.
func (l *Layout) With(c Constants) *Layout {
	with := *l
	with.Constants = maps.Clone(l.Constants)
	if with.Constants == nil {
		with.Constants = map[string]string{}
	}
	maps.Copy(with.Constants, c.Values)
	if len(c.Factors) > 0 {
		with.Factors = c.Factors
	}
	return &with
}

// A fixedParser knows the places of one layout.
type fixedParser struct {
	start  *template
	places []fixedPlace
	gaps   []digits.Gap // what no place covers
}

type fixedPlace struct {
	part       part
	start, end int
}

func (l *Layout) open(h *headReader) (parser, error) {
	if l.Skip < 0 {
		return nil, errors.New("layout: skip is negative")
	}
	start, err := newTemplate(Constants{l.Constants, l.Factors}, l.Operations)
	if err != nil {
		return nil, fmt.Errorf("layout: %w", err)
	}
	p := &fixedParser{start: start}
	has, err := p.place(l.Columns)
	if err != nil {
		return nil, fmt.Errorf("layout: %w", err)
	}
	if err := start.admits(has); err != nil {
		return nil, fmt.Errorf("layout: %w", err)
	}
	for range l.Skip {
		if _, err := h.line(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *fixedParser) place(columns []Place) (has set, err error) {
	for _, c := range columns {
		meant, ok := named(c.Name)
		switch {
		case !ok:
			return 0, fmt.Errorf("no column is called %q", c.Name)
		case has.has(meant):
			return 0, fmt.Errorf("there are two columns %s", meant)
		case c.Start < 1 || c.Width < 1 || c.Start > maxLine || c.Width > maxLine:
			return 0, fmt.Errorf("%s: start and width are at least 1", meant)
		case c.Width < meant.digits():
			return 0, fmt.Errorf("%s: a width of %d has no room for %s", meant, c.Width, meant.wanted())
		}
		has.add(meant)
		p.places = append(p.places, fixedPlace{meant, c.Start - 1, c.Start - 1 + c.Width})
	}
	p.findGaps()
	return has, nil
}

func (p *fixedParser) template() *template { return p.start }

func (p *fixedParser) never() [2]byte { return [2]byte{'\n', '\n'} }

// findGaps finds what is between the places, and after them.
func (p *fixedParser) findGaps() {
	places := slices.SortedFunc(slices.Values(p.places), func(a, b fixedPlace) int { return a.start - b.start })
	at := 0
	for _, c := range append(places, fixedPlace{start: math.MaxInt}) {
		if c.start > at {
			p.gaps = append(p.gaps, digits.Gap{At: at, End: c.start})
		}
		at = max(at, c.end)
	}
}

// blanks are as many as most values are wide.
const blanks = "                "

// parse reads every place; a line that ends early has blanks there.
func (p *fixedParser) parse(line []byte, r *record) {
	for i := range p.places {
		c := &p.places[i]
		if c.start >= len(line) {
			continue
		}
		text := line[c.start:min(c.end, len(line))]
		if text[0] == ' ' && len(text) <= len(blanks) && string(text) == blanks[:len(text)] {
			continue
		}
		if !r.put(c.part, text) {
			r.read(c.part, bytes.Trim(text, " "))
		}
	}
	for _, g := range p.gaps {
		if g.At < len(line) {
			r.pass(line[g.At:min(g.End, len(line))])
		}
	}
}
