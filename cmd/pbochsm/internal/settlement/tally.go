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
	places    []tallyPlace    // hash table, a quarter of it full at most
}

type terminalCount struct {
	terminal mac.TerminalID
	counts   Counts
}

// A tallyPlace leads to a terminal by its key.
type tallyPlace struct {
	key uint64 // 0: the place is free
	at  int    // index into terminals
}

func (t *tally) clear() {
	t.reasons = [numVerdicts][numParts]uint32{}
	t.terminals = t.terminals[:0]
	clear(t.places)
}

// count adds a record of a terminal.
func (t *tally) count(terminal []byte, v Verdict) {
	key := terminalKey(terminal)
	if len(t.places) > 0 {
		if p := &t.places[t.slot(key)]; p.key == key {
			t.terminals[p.at].counts[v]++
			return
		}
	}
	t.enter(mac.TerminalID(terminal)).counts[v]++
}

// terminalKey is a terminal as a number other than 0.
func terminalKey(terminal []byte) uint64 {
	return 1<<48 | uint64(binary.BigEndian.Uint32(terminal))<<16 | uint64(binary.BigEndian.Uint16(terminal[4:]))
}

// slot is where a terminal is in the hash table, or the free place for it.
func (t *tally) slot(key uint64) int {
	mask := len(t.places) - 1
	slot := int(key*0x9E3779B97F4A7C15>>32) & mask
	for t.places[slot].key != key && t.places[slot].key != 0 {
		slot = (slot + 1) & mask
	}
	return slot
}

// enter takes up a terminal that is new.
func (t *tally) enter(terminal mac.TerminalID) *terminalCount {
	t.terminals = append(t.terminals, terminalCount{terminal: terminal})
	if 4*len(t.terminals) > len(t.places) {
		t.places = make([]tallyPlace, max(256, 2*len(t.places)))
		for i := range t.terminals {
			t.place(i)
		}
	} else {
		t.place(len(t.terminals) - 1)
	}
	return &t.terminals[len(t.terminals)-1]
}

// place puts a terminal into the hash table.
func (t *tally) place(at int) {
	key := terminalKey(t.terminals[at].terminal[:])
	t.places[t.slot(key)] = tallyPlace{key, at}
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
