package transcript

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"pbochsm/mac"
)

// Errors of a transcript.
var (
	ErrLength = errors.New("transcript: a command is not as long as it says")
	ErrLine   = errors.New("transcript: a line is neither hexadecimal digits nor a comment")
	ErrEmpty  = errors.New("transcript: nothing was said")
	ErrLong   = errors.New("transcript: too long")
)

// A Piece is some bytes of a command or an answer, and what they are.
type Piece struct {
	Name    string `json:"name"`
	Chinese string `json:"chinese,omitempty"`
	Offset  int    `json:"offset"` // in the command, or in the answer
	Bytes   string `json:"bytes"`  // hexadecimal digits
	Meaning string `json:"meaning,omitempty"`
}

// An Exchange is one command with the answer to it. Of either there may be none.
type Exchange struct {
	Name    string  `json:"name"`
	Chinese string  `json:"chinese,omitempty"`
	Command []Piece `json:"command,omitempty"`
	Answer  []Piece `json:"answer,omitempty"`

	form *form
	p1   byte
	p2   byte
}

// A Transcript is what was said, and the values of the last transaction in it.
type Transcript struct {
	Exchanges []Exchange        `json:"exchanges"`
	Values    map[string]string `json:"values"` // by the names of the fields, and key-version, algorithm, asn

	fields map[mac.Field][]byte
	parts  map[string][]byte // slots that are no fields
	begun  *form             // the INITIALIZE of the last transaction
	purse  byte              // its P2
}

// Bounds of a transcript.
const (
	maxLines = 4096
	maxLine  = 4096
)

// Read takes a transcript apart: a line for each command and each answer, in
// hexadecimal digits with or without spaces. A line may begin with > where it is
// a command and with < where it is an answer; without, a line that is a command
// is taken for one, unless it is as long as the answer that is awaited. What
// follows a # is a comment.
func Read(r io.Reader) (*Transcript, error) {
	t := &Transcript{Values: map[string]string{}, fields: map[mac.Field][]byte{}, parts: map[string][]byte{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	n := 0
	for ; lines.Scan(); n++ {
		if n == maxLines {
			return nil, ErrLong
		}
		if err := t.line(lines.Text()); err != nil {
			return nil, fmt.Errorf("%w: line %d", err, n+1)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return nil, fmt.Errorf("%w: line %d", ErrLong, n+1)
	}
	if lines.Err() != nil {
		return nil, lines.Err()
	}
	if len(t.Exchanges) == 0 {
		return nil, ErrEmpty
	}
	t.derive()
	t.list()
	return t, nil
}

// line takes one line.
func (t *Transcript) line(text string) error {
	text, _, _ = strings.Cut(text, "#")
	text = strings.TrimSpace(text)
	digits := strings.TrimLeft(text, "=-<>")
	sign := text[:len(text)-len(digits)]
	digits = strings.Join(strings.Fields(strings.ReplaceAll(digits, ":", " ")), "")
	if digits == "" {
		if sign != "" {
			return ErrLine
		}
		return nil
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		return ErrLine
	}
	switch name := broken(b); {
	case name != "" && (strings.Contains(sign, ">") || sign == "" && !t.mayAnswer(len(b), b)):
		return fmt.Errorf("%w: %s has %d bytes, and after Lc %02X there are %d", ErrLength, name, len(b), b[4], len(b)-5)
	case strings.Contains(sign, ">"):
		t.command(b)
	case strings.Contains(sign, "<"):
		t.answer(b)
	case t.awaits(len(b)):
		t.answer(b)
	default:
		t.either(b)
	}
	return nil
}

// open is the exchange whose answer has not come, if there is one.
func (t *Transcript) open() *Exchange {
	if n := len(t.Exchanges); n > 0 && t.Exchanges[n-1].Answer == nil && t.Exchanges[n-1].Command != nil {
		return &t.Exchanges[n-1]
	}
	return nil
}

// awaits tells whether n bytes are the answer that is awaited, or a refusal.
func (t *Transcript) awaits(n int) bool {
	e := t.open()
	if e == nil || e.form == nil {
		return false
	}
	want := width(e.expected())
	return n == want || n == want+2 || n == 2
}

// broken names the command that b begins as without being one. Its data are not
// shown: they may hold a PIN.
func broken(b []byte) string {
	if _, whole := split(b); whole || len(b) < 5 {
		return ""
	}
	c := command{class: b[0], ins: b[1], p1: b[2], p2: b[3]}
	if i := slices.IndexFunc(forms, func(f form) bool { return f.heads(&c) }); i >= 0 {
		return forms[i].name
	}
	return ""
}

// mayAnswer tells whether n bytes that begin as a command may be an answer: of
// the length that is awaited, to a command that nobody knows, or by itself.
func (t *Transcript) mayAnswer(n int, b []byte) bool {
	e := t.open()
	return t.awaits(n) || e != nil && e.form == nil || e == nil && bareAnswer(b) != nil
}

// either takes a line that may be a command or an answer.
func (t *Transcript) either(b []byte) {
	c, ok := split(b)
	_, known := formOf(&c)
	if ok && (known || t.open() == nil && bareAnswer(b) == nil) {
		t.command(b)
		return
	}
	t.answer(b)
}

// command begins an exchange.
func (t *Transcript) command(b []byte) {
	e := Exchange{Name: "unknown command"}
	c, ok := split(b)
	if !ok {
		e.Command = []Piece{{Name: "no command APDU", Bytes: hexadecimal(b)}}
		t.Exchanges = append(t.Exchanges, e)
		return
	}
	f, known := formOf(&c)
	e.p1, e.p2 = c.p1, c.p2
	e.Command = []Piece{{Name: "header", Chinese: "CLA INS P1 P2", Bytes: hexadecimal(b[:4])}}
	if c.lc >= 0 {
		e.Command = append(e.Command, Piece{Name: "Lc", Offset: 4, Bytes: hexadecimal(b[4:5]), Meaning: fmt.Sprintf("%d bytes follow", c.lc)})
	}
	if known {
		e.Name, e.Chinese, e.form = f.name, f.chinese, f
		e.Command[0].Meaning = t.begin(f, c.p2)
		e.Command = append(e.Command, t.take(f.body, c.data, 5)...)
	} else if len(c.data) > 0 {
		e.Command = append(e.Command, Piece{Name: "data", Offset: 5, Bytes: hexadecimal(c.data)})
	}
	if c.le >= 0 {
		e.Command = append(e.Command, Piece{Name: "Le", Offset: len(b) - 1, Bytes: hexadecimal(b[len(b)-1:])})
	}
	t.Exchanges = append(t.Exchanges, e)
}

// begin forgets the transaction before, where f begins one, and says of which
// type it is.
func (t *Transcript) begin(f *form, p2 byte) string {
	types := f.begins
	if f.begins != nil {
		for field := range t.fields {
			if field != mac.AuthCode && field != mac.Challenge { // which are read before
				delete(t.fields, field)
			}
		}
		delete(t.parts, version.name)
		delete(t.parts, algorithm.name)
		t.begun, t.purse = f, p2
	}
	if f.debit != nil {
		types, p2 = f.debit, max(t.purse, p2)
	}
	kind, known := types[p2]
	if !known {
		return ""
	}
	t.fields[mac.Type] = []byte{byte(kind)}
	return fmt.Sprintf("type %02X, %s", byte(kind), kind.Name())
}

// expected is what the answer of e consists of.
func (e *Exchange) expected() []slot {
	if !e.form.offset {
		return e.form.answer
	}
	at := int(e.p2)
	if e.p1&0x80 == 0 {
		at |= int(e.p1) << 8
	}
	rest := e.form.answer
	for len(rest) > 0 && at > 0 {
		at -= rest[0].width
		rest = rest[1:]
	}
	if at < 0 { // from within a slot, of which the rest is of no use
		rest = append([]slot{{name: "rest of a field", width: -at}}, rest...)
	}
	return rest
}

// answer ends an exchange, or is one by itself.
func (t *Transcript) answer(b []byte) {
	e := t.open()
	if e == nil {
		t.Exchanges = append(t.Exchanges, Exchange{Name: "answer to an unknown command"})
		e = &t.Exchanges[len(t.Exchanges)-1]
		if f := bareAnswer(b); f != nil {
			e.Name, e.form = "answer to "+alike(f), f
			if f.begins != nil {
				t.begin(f, 0)
			}
		}
	}
	var in []slot
	if e.form != nil {
		in = e.expected()
	}
	data, word := b, []byte(nil)
	if n := len(b) - 2; n >= 0 && len(b) != width(in) && plausible(binary.BigEndian.Uint16(b[n:])) {
		data, word = b[:n], b[n:]
	}
	fits := len(data) == width(in) || variable(in) || e.form != nil && e.form.offset
	switch {
	case len(data) == 0:
	case in != nil && fits:
		e.Answer = t.take(in, data, 0)
	default:
		e.Answer = []Piece{{Name: "data", Bytes: hexadecimal(data), Meaning: unlike(in, data)}}
	}
	if word != nil {
		e.Answer = append(e.Answer, Piece{Name: "status", Chinese: "状态字", Offset: len(data), Bytes: hexadecimal(word), Meaning: meaningOf(binary.BigEndian.Uint16(word))})
	}
}

// alike names the commands whose answers are like that of f.
func alike(f *form) string {
	var names []string
	for i := range forms {
		if slices.Equal(forms[i].answer, f.answer) {
			names = append(names, forms[i].name)
		}
	}
	return strings.Join(names, ", ")
}

func unlike(in []slot, data []byte) string {
	if in == nil {
		return ""
	}
	return fmt.Sprintf("%d bytes, where the answer has %d", len(data), width(in))
}

// bareAnswer is the command that an answer without one is taken for, by its
// length; nil if there is none.
func bareAnswer(b []byte) *form {
	n := len(b)
	if n > 2 && plausible(binary.BigEndian.Uint16(b[n-2:])) {
		for i := range forms {
			if f := &forms[i]; f.withoutCommand && width(f.answer) == n-2 {
				return f
			}
		}
	}
	for i := range forms {
		if f := &forms[i]; f.withoutCommand && width(f.answer) == n {
			return f
		}
	}
	return nil
}
