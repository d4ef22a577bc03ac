package settlement

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"pbochsm/mac/digits"
)

// CSV is a format with a value for each column, separated by one character.
// The first line names the columns, unless Columns does. Columns with other
// names than those of Names are passed over.
//
// A value may stand between double quotes, but no value that means anything
// here has a separator, a quote or a line feed in it, so that a record is a
// line and a quote within quotes is an error.
type CSV struct {
	Separator byte // ',' if 0
	Columns   []string
	Constants Constants
}

var _ Format = (*CSV)(nil)

// A csvParser knows the columns of one file.
type csvParser struct {
	start   *template
	sep     byte
	columns []csvColumn
}

// A csvColumn is what a column holds and how many digits that is. ignored
// columns have no digits either.
type csvColumn struct {
	part    part
	digits  int
	ignored bool
}

func (f *CSV) open(h *headReader) (parser, error) {
	start, err := newTemplate(f.Constants, nil)
	if err != nil {
		return nil, err
	}
	p := &csvParser{start: start, sep: f.Separator}
	if p.sep == 0 {
		p.sep = ','
	}
	if p.sep == '"' || p.sep == '\n' || p.sep == '\r' || p.sep >= 0x80 || digits.Are([]byte{p.sep}) {
		return nil, fmt.Errorf("%q cannot separate values", p.sep)
	}
	names := f.Columns
	if len(names) == 0 {
		line, err := h.line()
		if err != nil {
			return nil, err
		}
		names = strings.Split(strings.TrimPrefix(string(line), "\uFEFF"), string(p.sep))
	}
	has, err := p.name(names)
	if err != nil {
		return nil, err
	}
	return p, start.admits(has)
}

// name gives the columns their meaning.
func (p *csvParser) name(names []string) (has set, err error) {
	for _, name := range names {
		text, ok := unquote([]byte(strings.TrimSpace(name)))
		if !ok {
			return 0, errors.New("a quote without another in the first line")
		}
		c := csvColumn{ignored: true}
		if meant, ok := named(string(text)); ok {
			if has.has(meant) {
				return 0, fmt.Errorf("there are two columns %s", meant)
			}
			has.add(meant)
			c = csvColumn{part: meant, digits: meant.digits()}
		}
		p.columns = append(p.columns, c)
	}
	return has, nil
}

func (p *csvParser) template() *template { return p.start }

func (p *csvParser) never() [2]byte { return [2]byte{p.sep, '\n'} }

// parse expects each value to be as long as its part is wide, which spares the
// search for its end. Any other value is searched, and judged as it is found.
func (p *csvParser) parse(line []byte, r *record) {
	at := 0
	for i := range p.columns {
		c, last := &p.columns[i], i == len(p.columns)-1
		if at < len(line) && line[at] == p.sep && !last { // no value
			at++
			continue
		}
		end := at + p.width(c, line[at:])
		if end > at && p.endsAt(line, end, last) && r.put(c.part, line[at:end]) {
			at = end + 1
			continue
		}
		end = len(line)
		if !last {
			n := bytes.IndexByte(line[at:], p.sep)
			if n < 0 {
				r.torn = true
				return
			}
			end = at + n
		}
		p.odd(c, line[at:end], r)
		at = end + 1
	}
}

// width is how long the value that begins a text will be, if it is one as most
// are.
func (p *csvParser) width(c *csvColumn, text []byte) int {
	if c.part != partOperation || c.ignored {
		return c.digits
	}
	for i := range p.start.words {
		if w := p.start.words[i].text; bytes.HasPrefix(text, w) {
			return len(w)
		}
	}
	return 0
}

// endsAt tells whether a value, the last one of its line or another, can end
// there.
func (p *csvParser) endsAt(line []byte, end int, last bool) bool {
	if last {
		return end == len(line)
	}
	return end < len(line) && line[end] == p.sep
}

// odd takes a value that is not as long as most of its column, or is the last
// of its line.
func (p *csvParser) odd(c *csvColumn, text []byte, r *record) {
	if bytes.IndexByte(text, p.sep) >= 0 { // only in what follows the last column
		r.torn = true
		return
	}
	if c.ignored {
		r.pass(text)
		return
	}
	text, ok := unquote(text)
	switch {
	case !ok:
		r.bad.add(c.part)
	default:
		r.read(c.part, text)
	}
}

// unquote takes a pair of quotes off, and refuses any other quote.
func unquote(text []byte) ([]byte, bool) {
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
		text = text[1 : len(text)-1]
	}
	return text, bytes.IndexByte(text, '"') < 0
}
