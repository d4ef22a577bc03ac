package settlement

import (
	"fmt"
	"math/bits"
	"strings"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// A part is what a column of a file can hold: a field of the transaction, or
// something that says whose key made its TAC. The parts that are fields have
// the field's number.
type part uint8

// The parts that are no fields, and what an error can be about besides parts.
const (
	partOperation part = iota + 32
	partSet
	partVersion
	partAlgorithm
	partFactor // the first of keystore.MaxLevels, outermost authority first
)

const (
	aboutKey     = partFactor + keystore.MaxLevels + iota // the key as a whole
	aboutFactors                                          // how many factors there are
	aboutColumns                                          // how many values there are
	aboutLength                                           // a line too long to be a record
	aboutNothing
	numParts
)

var partNames = map[part]string{
	partOperation: "operation",
	partSet:       "set",
	partVersion:   "version",
	partAlgorithm: "algorithm",
	aboutKey:      "key",
	aboutFactors:  "factors",
	aboutColumns:  "columns",
	aboutLength:   "length",
	aboutNothing:  "",
}

// String gives the name of the part, as the column is called.
func (p part) String() string {
	switch {
	case p < partOperation:
		return mac.Field(p).String()
	case p.factor() >= 0:
		return fmt.Sprintf("factor-%d", p.factor()+1)
	}
	return partNames[p]
}

// aboutNamed gives the first part of this name, or numParts.
func aboutNamed(name string) part {
	p := part(0)
	for p < numParts && p.String() != name {
		p++
	}
	return p
}

// factor is the number of the factor from 0 on, or -1.
func (p part) factor() int {
	if p < partFactor || p >= partFactor+keystore.MaxLevels {
		return -1
	}
	return int(p - partFactor)
}

// digits is the width of a value of the part, 0 where it varies.
func (p part) digits() int {
	switch {
	case p == partOperation:
		return 0
	case p < partOperation && mac.Field(p).Counted():
		return 0
	case p < partOperation:
		return 2 * mac.Field(p).Width()
	case p.factor() >= 0:
		return 2 * len(mac.Factor{})
	}
	return 2
}

// A set is a set of parts.
type set uint64

func (s *set) add(p part)       { *s |= 1 << p }
func (s set) has(p part) bool   { return s>>p&1 != 0 }
func (s set) first() part       { return part(bits.TrailingZeros64(uint64(s))) }
func (s set) factors() set      { return s >> partFactor & (1<<keystore.MaxLevels - 1) }
func (s set) String() string    { return strings.Join(s.names(), ", ") }
func (s set) without(t set) set { return s &^ t }

func (s set) names() (names []string) {
	for ; s != 0; s &= s - 1 {
		names = append(names, s.first().String())
	}
	return names
}

// Kinds lists the operations that a record can be: those that verify a TAC.
func Kinds() (kinds []mac.Kind) {
	for _, k := range mac.Kinds() {
		if claim, ok := k.Claims(); ok && claim == mac.TAC {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// needs are the parts that a record of kind k must have. How many factors it
// needs only its key tells.
func needs(k mac.Kind) (s set) {
	for _, f := range k.Inputs() {
		if !f.Counted() {
			s.add(part(f))
		}
	}
	for _, p := range []part{partOperation, partSet, partVersion, partAlgorithm} {
		s.add(p)
	}
	return s
}

// columns are all parts that a file can have a column of, in the order in
// which a file would have them.
func columns() (all []part) {
	all = []part{partOperation, partSet, partVersion, partAlgorithm}
	for i := range keystore.MaxLevels {
		all = append(all, partFactor+part(i))
	}
	var seen set
	seen.add(part(mac.TAC)) // comes last
	for _, k := range Kinds() {
		for _, f := range k.Inputs() {
			if p := part(f); !seen.has(p) {
				seen.add(p)
				all = append(all, p)
			}
		}
	}
	return append(all, part(mac.TAC))
}

// Names lists the names of all columns that have a meaning.
func Names() (names []string) {
	for _, p := range columns() {
		names = append(names, p.String())
	}
	return names
}

// Fields lists the names of those columns that are fields of a transaction
// and may be the same in all records of a file.
func Fields() (fields []mac.Field) {
	for _, p := range columns() {
		if f := mac.Field(p); p < partOperation && f != mac.TAC {
			fields = append(fields, f)
		}
	}
	return fields
}

// named gives the part whose column has this name.
func named(name string) (part, bool) {
	for _, p := range columns() {
		if p.String() == name {
			return p, true
		}
	}
	return 0, false
}
