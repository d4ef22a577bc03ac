package audit

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"pbochsm/mac"
)

// An outcome is what became of an operation that is recorded.
type outcome string

// Outcomes.
const (
	made  outcome = "made"  // the claimed MAC, if any, was right, and a MAC was made
	wrong outcome = "wrong" // the claimed MAC was wrong
	spent outcome = "spent" // refused: the card has been wrong too often today
)

// recorded tells which operations leave a record: those that make a MAC, or a
// command for a card, or give what a caller has composed. Of a generic MAC, and
// of what is composed, the record names the key and not the message. A MAC that
// is only verified gives nobody anything, and settlement files verify them by the
// million.
func recorded(k mac.Kind) bool {
	_, ok := k.Answers()
	return ok || k.Commands() || k.Gives() || k == mac.KindMAC
}

const timeLayout = "2006-01-02T15:04:05.000000Z"

// appendRecord appends the line of op. Every input is in it but the MAC, which
// is worth money, or was a guess at it, and what is confidential.
func appendRecord(dst []byte, at time.Time, o outcome, op *mac.Op) []byte {
	dst = append(dst, `{"at":"`...)
	dst = at.UTC().AppendFormat(dst, timeLayout)
	dst = append(append(dst, `","outcome":"`...), o...)
	dst = append(append(dst, `","operation":"`...), op.Kind.String()...)
	dst = append(dst, `","key":"`...)
	dst = append(appendHex(dst, op.Key.Set), '/')
	dst = append(appendHex(dst, op.Key.Version), '/')
	dst = appendHex(dst, op.Key.Algorithm)
	if r := op.Raw(); r != nil {
		dst = append(append(dst, `","usage":"`...), r.Usage.String()...)
	}
	dst = append(dst, `","factors":[`...)
	for i, f := range op.Factors[:op.Levels] {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendHex(append(dst, '"'), f[:]...), '"')
	}
	dst = append(dst, ']')
	claim, _ := op.Kind.Claims()
	for _, f := range op.Kind.Inputs() {
		value := f.Bytes(op)
		if _, claims := op.Kind.Claims(); claims && f == claim || len(value) == 0 || f.Confidential() {
			continue
		}
		dst = append(append(append(dst, `,"`...), f.String()...), `":"`...)
		dst = append(appendHex(dst, value...), '"')
	}
	return append(dst, "}\n"...)
}

const hexDigits = "0123456789ABCDEF"

func appendHex(dst []byte, value ...byte) []byte {
	for _, b := range value {
		dst = append(dst, hexDigits[b>>4], hexDigits[b&15])
	}
	return dst
}

// A failure is what the budgets need of a record.
type failure struct {
	at   time.Time
	card card
}

// parseFailure reads a record back if its outcome is wrong.
func parseFailure(line []byte) (f failure, ok bool, err error) {
	if !bytes.Contains(line, []byte(`"outcome":"wrong"`)) {
		return f, false, nil
	}
	var r struct {
		At      time.Time `json:"at"`
		Key     string    `json:"key"`
		Factors []string  `json:"factors"`
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return f, false, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	var op mac.Op
	if _, err := fmt.Sscanf(r.Key, "%02X/%02X/%02X", &op.Key.Set, &op.Key.Version, &op.Key.Algorithm); err != nil {
		return f, false, fmt.Errorf("%w: key %q", ErrDamaged, r.Key)
	}
	if len(r.Factors) > len(op.Factors) {
		return f, false, fmt.Errorf("%w: %d factors", ErrDamaged, len(r.Factors))
	}
	op.Levels = uint8(len(r.Factors))
	for i, text := range r.Factors {
		if n, err := hex.Decode(op.Factors[i][:], []byte(text)); err != nil || n != len(op.Factors[i]) {
			return f, false, fmt.Errorf("%w: factor %q", ErrDamaged, text)
		}
	}
	return failure{at: r.At, card: cardOf(&op)}, true, nil
}
