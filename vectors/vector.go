package vectors

import (
	"fmt"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// A Vector is one operation and what a module must answer to it. It tests one
// thing, which Comment says.
type Vector struct {
	ID        string            `json:"id"`
	Comment   string            `json:"comment"`
	Source    string            `json:"source"`
	Operation string            `json:"operation"` // a mac.Kind by its name
	Key       string            `json:"key"`       // set/version/algorithm
	Factors   []string          `json:"factors"`   // outermost first
	Fields    map[string]string `json:"fields"`    // by the names of the dictionary of package mac
	Expect    Expect            `json:"expect"`
	Field     string            `json:"field,omitempty"`  // with Invalid: which one is; a wire does not tell
	Answer    string            `json:"answer,omitempty"` // the MAC made; absent where none is, or none was published
}

// An Expect is a verdict of the closed list below.
type Expect string

// Verdicts.
const (
	Accept    Expect = "accept"    // the claimed MAC or TAC is right
	Made      Expect = "made"      // nothing was claimed, a MAC is made
	Mismatch  Expect = "mismatch"  // the claimed MAC or TAC is wrong
	Invalid   Expect = "invalid"   // a field, or the number of factors, is out of range
	NotFound  Expect = "not-found" // no key of that set or version
	Usage     Expect = "usage"     // only keys of another usage have that set, version and algorithm
	Algorithm Expect = "algorithm" // the key has another algorithm identifier
	Retired   Expect = "retired"   // the key is not active: retired, or still pending
)

var refusals = map[Expect]error{
	Invalid:   mac.ErrInvalid,
	NotFound:  keystore.ErrNotFound,
	Usage:     keystore.ErrUsage,
	Algorithm: keystore.ErrAlgorithm,
	Retired:   keystore.ErrRetired,
}

// UnmarshalText accepts the verdicts and nothing else.
func (e *Expect) UnmarshalText(b []byte) error {
	*e = Expect(b)
	if _, refused := refusals[*e]; refused || *e == Accept || *e == Made || *e == Mismatch {
		return nil
	}
	return fmt.Errorf("unknown verdict %q", b)
}

// refusal is the error that an operation of kind k must fail with, nil if it
// must succeed.
func (e Expect) refusal(k mac.Kind) error {
	if e == Mismatch {
		return k.Mismatch()
	}
	return refusals[e]
}

// Op is the operation, ready for an HSM.
func (v *Vector) Op() (mac.Op, error) {
	kind, err := parseKind(v.Operation)
	if err != nil {
		return mac.Op{}, v.wrap(err)
	}
	key, err := parseKey(v.Key)
	if err != nil {
		return mac.Op{}, v.wrap(err)
	}
	op := mac.Op{Kind: kind, Key: key, Levels: uint8(len(v.Factors))}
	for i, text := range v.Factors {
		f, err := unhex(text, len(mac.Factor{}))
		if err != nil {
			return mac.Op{}, v.wrap(fmt.Errorf("factor %d: %w", i+1, err))
		}
		if i < len(op.Factors) { // more are refused by their number
			op.Factors[i] = mac.Factor(f)
		}
	}
	if kind.IsGeneric() {
		return op, v.fillGeneric(&op)
	}
	return op, v.fill(&op)
}

// fill writes the fields into op. All inputs must be there, and nothing else;
// only a counted field may be absent.
func (v *Vector) fill(op *mac.Op) error {
	used := 0
	for _, f := range op.Kind.Inputs() {
		text, ok := v.Fields[f.String()]
		if !ok && f.Counted() {
			continue
		}
		used++
		if f.Counted() && !f.SetLen(op, len(text)/2) {
			return v.wrap(fmt.Errorf("%s is too long", f))
		}
		place := f.Bytes(op)
		value, err := unhex(text, len(place))
		if err != nil {
			return v.wrap(fmt.Errorf("%s: %w", f, err))
		}
		copy(place, value)
	}
	if used != len(v.Fields) {
		return v.wrap(fmt.Errorf("a field that is no input of %s", op.Kind))
	}
	return nil
}

func (v *Vector) wrap(err error) error { return fmt.Errorf("vectors: %s: %w", v.ID, err) }

func parseKind(name string) (mac.Kind, error) {
	for _, k := range append(mac.Kinds(), mac.KindMAC, mac.KindMACVerify) {
		if k.String() == name {
			return k, nil
		}
	}
	return 0, fmt.Errorf("unknown operation %q", name)
}
