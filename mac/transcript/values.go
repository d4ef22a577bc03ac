package transcript

import (
	"encoding/binary"
	"fmt"

	"pbochsm/mac"
)

func hexadecimal(b []byte) string { return fmt.Sprintf("%X", b) }

// take cuts data into the slots, which it fits or ends within, keeps the values,
// and gives the pieces.
func (t *Transcript) take(in []slot, data []byte, at int) (pieces []Piece) {
	if variable(in) {
		whole := in[0]
		whole.width = len(data)
		in = []slot{whole}
	}
	for _, s := range in {
		if len(data) == 0 {
			break
		}
		n := min(s.width, len(data))
		value := data[:n]
		p := Piece{Name: s.name, Chinese: s.chinese, Offset: at, Bytes: hexadecimal(value), Meaning: s.meaning(value)}
		if s.secret {
			p.Bytes = "(hidden)"
		}
		pieces = append(pieces, p)
		switch {
		case n < s.width: // cut off
		case s.inField:
			t.fields[s.field] = value
		case !s.secret:
			t.parts[s.name] = value
		}
		data, at = data[n:], at+n
	}
	if len(data) > 0 {
		pieces = append(pieces, Piece{Name: "more", Offset: at, Bytes: hexadecimal(data)})
	}
	return pieces
}

// meaning says for people what a value is, where its digits do not.
func (s *slot) meaning(value []byte) string {
	switch s.name {
	case mac.OldBalance.String(), mac.Amount.String(), mac.OldLimit.String(), mac.NewLimit.String():
		fen := number(value)
		return fmt.Sprintf("%d fen, %d.%02d yuan", fen, fen/100, fen%100)
	case mac.Type.String():
		return mac.TransactionType(value[0]).Name()
	case serial.name:
		if len(value) == serial.width {
			return fmt.Sprintf("the card's factor is its right end, %X", value[2:])
		}
	case mac.OnlineCounter.String(), mac.OfflineCounter.String():
		return "before its increment"
	}
	return ""
}

func number(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// derive works out the balance after the transaction. See [PBOC] 5.
func (t *Transcript) derive() {
	old, known := t.fields[mac.OldBalance]
	if t.begun == nil || !known {
		return
	}
	balance := number(old)
	amount, moved := t.fields[mac.Amount]
	limit, updated := t.fields[mac.NewLimit]
	switch kind := t.fields[mac.Type]; {
	case kind == nil:
		return
	case mac.TransactionType(kind[0]) == mac.TypeOverdraft:
		if !updated {
			return
		}
		balance += number(limit) - number(t.fields[mac.OldLimit])
	case !moved:
		return
	case t.begun.adds:
		balance += number(amount)
	default:
		balance -= number(amount)
	}
	t.fields[mac.NewBalance] = binary.BigEndian.AppendUint32(nil, uint32(balance))
}

// list writes the values for programs.
func (t *Transcript) list() {
	for f, v := range t.fields {
		t.Values[f.String()] = hexadecimal(v)
	}
	for _, name := range []string{version.name, algorithm.name, serial.name} {
		if v, known := t.parts[name]; known {
			t.Values[name] = hexadecimal(v)
		}
	}
}

// Field is the value of a field in the last transaction, and whether it was
// said.
func (t *Transcript) Field(f mac.Field) ([]byte, bool) {
	v, known := t.fields[f]
	return v, known
}

// Key is the key that the card said it uses, of a set that it does not say.
func (t *Transcript) Key(set byte) (id mac.KeyID, known bool) {
	v, a := t.parts[version.name], t.parts[algorithm.name]
	if v == nil || a == nil {
		return id, false
	}
	return mac.KeyID{Set: set, Version: v[0], Algorithm: a[0]}, true
}

// Factor is the card's factor, the right end of its serial number.
func (t *Transcript) Factor() (f mac.Factor, known bool) {
	asn := t.parts[serial.name]
	if asn == nil {
		return f, false
	}
	return mac.Factor(asn[len(asn)-len(f):]), true
}
