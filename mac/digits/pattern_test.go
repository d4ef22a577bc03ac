package digits_test

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"pbochsm/mac/digits"
)

// A drawn is a pattern with what it was made of.
type drawn struct {
	pattern *digits.Pattern
	example []byte
	record  []byte
	values  []digits.Value
	gaps    []digits.Gap
}

const recordSize = 100

var never = [2]byte{',', '\n'}

// draw makes a pattern of a line with values and gaps between separators.
func draw(t *testing.T, r *rand.Rand) (d drawn) {
	t.Helper()
	to := 0
	for n := 1 + r.IntN(12); n > 0 && len(d.example) < digits.MaxPattern-80; n-- {
		at := len(d.example)
		switch size := 2 * (1 + r.IntN(20)); {
		case r.IntN(4) == 0:
			d.gaps = append(d.gaps, digits.Gap{At: at, End: at + size})
			d.example = append(d.example, bytes.Repeat([]byte{0xE4}, size)...)
		case to+size/2+8 <= recordSize:
			d.values = append(d.values, digits.Value{At: at, Digits: size, To: to})
			for range size {
				d.example = append(d.example, "0123456789abcdefABCDEF"[r.IntN(22)])
			}
			to += size/2 + r.IntN(3)
		}
		d.example = append(d.example, ',')
	}
	d.example = append(d.example, "load\n"...)
	d.record = make([]byte, recordSize)
	for i := range d.record {
		d.record[i] = byte(r.Uint32())
	}
	r.Shuffle(len(d.values), func(i, j int) { d.values[i], d.values[j] = d.values[j], d.values[i] })
	var ok bool
	if d.pattern, ok = digits.NewPattern(d.example, d.record, d.values, d.gaps, never); !ok {
		t.Fatalf("no pattern of %q, %v, %v", d.example, d.values, d.gaps)
	}
	return d
}

// decode is what Decode is to do, a byte after the other.
func (d *drawn) decode(record, text []byte) bool {
	fixed := bytes.Repeat([]byte{1}, len(d.example))
	for _, g := range d.gaps {
		clear(fixed[g.At:g.End])
		if bytes.ContainsAny(text[g.At:g.End], string(never[:])) {
			return false
		}
	}
	decoded := bytes.Clone(d.record)
	for _, v := range d.values {
		clear(fixed[v.At:][:v.Digits])
		if _, err := hex.Decode(decoded[v.To:], text[v.At:][:v.Digits]); err != nil {
			return false
		}
	}
	for i, f := range fixed {
		if f == 1 && text[i] != d.example[i] {
			return false
		}
	}
	copy(record, decoded)
	return true
}

// Every byte in every place of a line, with other lines after it and at the end
// of the memory, is judged as a byte by byte comparison judges it.
func TestPatternDecodesWhatFits(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 12 {
		d := draw(t, r)
		for at := range d.example {
			for _, b := range []byte{d.example[at], ',', '\n', '0', '9', 'a', 'F', 'g', '/', ':', '@', '`', 0, 0x80, 0xFF, byte(r.Uint32())} {
				text := bytes.Clone(d.example)
				text[at] = b
				want := bytes.Repeat([]byte{0x5A}, recordSize)
				fits := d.decode(want, text)
				for i, decode := range []func(record, text []byte) bool{d.pattern.Decode, digits.WithoutWide(d.pattern).Decode, func(record, text []byte) bool { return digits.PlainPattern(d.pattern, record, text) }} {
					for _, after := range []int{0, 1, digits.PatternRoom, 200} {
						whole := append(bytes.Clone(text), bytes.Repeat([]byte{b}, after)...)
						got := bytes.Repeat([]byte{0x5A}, recordSize)
						if ok := decode(got, whole[:len(whole):len(whole)]); ok != fits || !bytes.Equal(got, want) {
							t.Fatalf("decoder %d, %q with %q at %d: %t, want %t\n%x, want\n%x", i, d.example, b, at, ok, fits, got, want)
						}
					}
				}
			}
		}
		if d.pattern.Decode(make([]byte, recordSize), d.example[:len(d.example)-1]) || d.pattern.Decode(make([]byte, recordSize-1), append(d.example, d.example...)) {
			t.Fatal("a text or a record that is too short is accepted")
		}
	}
}

func TestNoPattern(t *testing.T) {
	if _, ok := digits.NewPattern([]byte("00"), make([]byte, recordSize), []digits.Value{{Digits: 2, To: recordSize - 8}}, nil, never); !ok {
		t.Error("there is none for the last place of a record")
	}
	for name, c := range map[string]struct {
		example string
		values  []digits.Value
		gaps    []digits.Gap
	}{
		"nothing":                {},
		"too long":               {example: string(make([]byte, digits.MaxPattern+1))},
		"no digits":              {example: "0g", values: []digits.Value{{Digits: 2}}},
		"half a byte":            {example: "000", values: []digits.Value{{Digits: 3}}},
		"no value":               {example: "00", values: []digits.Value{{At: 1}}},
		"beyond the end":         {example: "00", values: []digits.Value{{At: 1, Digits: 2}}},
		"before the beginning":   {example: "00", values: []digits.Value{{At: -1, Digits: 2}}},
		"beyond the record":      {example: "00", values: []digits.Value{{Digits: 2, To: recordSize - 7}}},
		"two in one place":       {example: "0000", values: []digits.Value{{Digits: 4}, {Digits: 2, To: 1}}},
		"a gap without end":      {example: "00", gaps: []digits.Gap{{At: 1, End: 3}}},
		"a gap that ends before": {example: "00", gaps: []digits.Gap{{At: 1, End: 0}}},
		"a gap with a comma":     {example: "0,", gaps: []digits.Gap{{At: 0, End: 2}}},
	} {
		if _, ok := digits.NewPattern([]byte(c.example), make([]byte, recordSize), c.values, c.gaps, never); ok {
			t.Errorf("%s: there is a pattern", name)
		}
	}
	if _, ok := digits.NewPattern([]byte("00"), make([]byte, 31), nil, nil, never); ok {
		t.Error("a small record: there is a pattern")
	}
}

func BenchmarkPattern(b *testing.B) {
	var t testing.T
	d := draw(&t, rand.New(rand.NewPCG(7, 8)))
	record, text := make([]byte, recordSize), append(d.example, make([]byte, 100)...)
	b.ReportMetric(float64(len(d.example)), "bytes")
	b.ReportMetric(float64(len(d.values)), "values")
	for b.Loop() {
		d.pattern.Decode(record, text)
	}
}
