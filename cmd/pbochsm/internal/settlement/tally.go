package settlement

import (
	"encoding/binary"
	"slices"

	"pbochsm/mac"
)

// A tally counts the records of one chunk: by verdict and what it is about,
// and by terminal and verdict. Its memory is used again for the next chunk.
type tally struct {
	reasons   [numVerdicts][numParts]uint32
	terminals []terminalCount // in the order of their first record
	places    []int32         // hash table: index into terminals, plus one
	last      int
}

type terminalCount struct {
	terminal mac.TerminalID
	counts   Counts
}

func (t *tally) clear() {
	t.reasons = [numVerdicts][numParts]uint32{}
	t.terminals, t.last = t.terminals[:0], 0
	clear(t.places)
}

// count adds a record of a terminal. Neighbours often have the same one.
func (t *tally) count(terminal mac.TerminalID, v Verdict) {
	if t.last >= len(t.terminals) || t.terminals[t.last].terminal != terminal {
		t.last = t.find(terminal)
	}
	t.terminals[t.last].counts[v]++
}

// find gives the index of a terminal in terminals, where it is put if it is
// new.
func (t *tally) find(terminal mac.TerminalID) int {
	if 2*len(t.terminals) >= len(t.places) {
		t.grow()
	}
	slot := t.slot(terminal)
	if t.places[slot] == 0 {
		t.terminals = append(t.terminals, terminalCount{terminal: terminal})
		t.places[slot] = int32(len(t.terminals))
	}
	return int(t.places[slot]) - 1
}

// slot is the terminal's place in the hash table, or the free one for it.
func (t *tally) slot(terminal mac.TerminalID) int {
	h := uint64(binary.BigEndian.Uint32(terminal[:]))<<16 | uint64(binary.BigEndian.Uint16(terminal[4:]))
	mask := len(t.places) - 1
	for slot := int(h*0x9E3779B97F4A7C15>>32) & mask; ; slot = (slot + 1) & mask {
		if i := t.places[slot]; i == 0 || t.terminals[i-1].terminal == terminal {
			return slot
		}
	}
}

func (t *tally) grow() {
	t.places = make([]int32, max(64, 2*len(t.places)))
	for i := range t.terminals {
		t.places[t.slot(t.terminals[i].terminal)] = int32(i + 1)
	}
}

// MaxTerminals is how many terminals a run tells apart. Any further ones are
// counted together, so that a file with a wrong column takes no memory without
// bound.
const MaxTerminals = 1 << 18

// totals are the counts of a run so far.
type totals struct {
	reasons   [numVerdicts][numParts]uint64
	terminals []terminalCount // in the order of their first record
	places    map[mac.TerminalID]int32
	others    Counts // of the terminals beyond MaxTerminals
	most      int    // MaxTerminals
}

func newTotals() *totals {
	return &totals{places: map[mac.TerminalID]int32{}, most: MaxTerminals}
}

// add takes up the tally of the next chunk.
func (t *totals) add(c *tally) {
	for v := range c.reasons {
		for p, n := range c.reasons[v] {
			t.reasons[v][p] += uint64(n)
		}
	}
	for i := range c.terminals {
		t.of(c.terminals[i].terminal).add(&c.terminals[i].counts)
	}
}

// of gives the counts of a terminal.
func (t *totals) of(terminal mac.TerminalID) *Counts {
	i, known := t.places[terminal]
	if !known {
		if len(t.terminals) >= t.most {
			return &t.others
		}
		i = int32(len(t.terminals))
		t.places[terminal] = i
		t.terminals = append(t.terminals, terminalCount{terminal: terminal})
	}
	return &t.terminals[i].counts
}

// verdicts sums over what the verdicts are about.
func (t *totals) verdicts() (c Counts) {
	for v := range t.reasons {
		for _, n := range t.reasons[v] {
			c[v] += n
		}
	}
	return c
}

// sorted gives the terminals by their number.
func (t *totals) sorted() []terminalCount {
	all := slices.Clone(t.terminals)
	slices.SortFunc(all, func(a, b terminalCount) int {
		return slices.Compare(a.terminal[:], b.terminal[:])
	})
	return all
}
