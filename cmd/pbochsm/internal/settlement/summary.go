package settlement

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"pbochsm/mac"
)

// ErrUnverified is the error of a summary with records whose TAC could not be
// computed, and none whose TAC is wrong.
var ErrUnverified = errors.New("not verified")

// A Summary is what a run has found.
type Summary struct {
	Records   uint64     `json:"records"`
	Reasons   []Reason   `json:"reasons"`   // those that there were
	Terminals []Terminal `json:"terminals"` // by their number
	Others    *Counts    `json:"other_terminals,omitempty"`
}

// A Reason is a verdict, what it was about, and how often it was given.
type Reason struct {
	Verdict Verdict `json:"verdict"`
	About   string  `json:"about,omitempty"`
	Records uint64  `json:"records"`
}

// A Terminal is one terminal with the verdicts on its records. A line that
// cannot be read belongs to none.
type Terminal struct {
	Terminal string `json:"terminal"`
	Counts   Counts `json:"records"`
}

// Counts are numbers of records by verdict.
type Counts [numVerdicts]uint64

// MarshalText is String.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// MarshalJSON gives an object with the words of the verdicts that there were.
func (c Counts) MarshalJSON() ([]byte, error) {
	m := map[string]uint64{}
	for v, n := range c {
		if n > 0 {
			m[Verdict(v).String()] = n
		}
	}
	return json.Marshal(m)
}

func (c *Counts) add(d *Counts) {
	for v := range c {
		c[v] += d[v]
	}
}

// Sum is the number of records.
func (c Counts) Sum() (n uint64) {
	for _, v := range c {
		n += v
	}
	return n
}

// Wrong is the number of records that are not OK.
func (c Counts) Wrong() uint64 { return c.Sum() - c[OK] }

func (t *totals) records() uint64 { return t.verdicts().Sum() }

func (t *totals) summary() *Summary {
	s := &Summary{Records: t.records(), Reasons: []Reason{}, Terminals: []Terminal{}}
	for v := range t.reasons {
		for p, n := range t.reasons[v] {
			if n > 0 {
				s.Reasons = append(s.Reasons, Reason{Verdict(v), part(p).String(), n})
			}
		}
	}
	for _, c := range t.sorted() {
		name := strings.ToUpper(hex.EncodeToString(c.terminal[:]))
		s.Terminals = append(s.Terminals, Terminal{name, c.counts})
	}
	if t.others.Sum() > 0 {
		s.Others = &t.others
	}
	return s
}

// Count is the number of records with this verdict.
func (s *Summary) Count(v Verdict) (n uint64) {
	for _, r := range s.Reasons {
		if r.Verdict == v {
			n += r.Records
		}
	}
	return n
}

// Err is nil if every TAC was verified and right. It wraps mac.ErrVerify if
// any TAC was wrong, and otherwise ErrUnverified.
func (s *Summary) Err() error {
	if n := s.Count(Mismatch); n > 0 {
		return fmt.Errorf("TAC of %d of %d records: %w", n, s.Records, mac.ErrVerify)
	}
	if n := s.Records - s.Count(OK); n > 0 {
		return fmt.Errorf("%d of %d records: %w", n, s.Records, ErrUnverified)
	}
	return nil
}
