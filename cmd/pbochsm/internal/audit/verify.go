package audit

import (
	"bytes"
	"fmt"
	"path/filepath"
)

// A Report is what Verify found.
type Report struct {
	Segments int
	From     uint64 // seals before the first segment that is here
	Head     Head
	Outcomes map[string]uint64 // records here, by outcome
}

// Verify reads the whole log in dir and holds it against its seals: every
// byte, in order, nothing missing between. With a key it checks the tags too;
// without one it finds what was altered by somebody who did not write the
// hashes anew. heads, if any, must all be in it. The error names the first
// line that is wrong.
func Verify(dir string, key []byte, heads ...Head) (Report, error) {
	report := Report{Outcomes: map[string]uint64{}}
	numbers, err := segments(dir)
	if err != nil {
		return report, err
	}
	wanted := map[Head]bool{}
	for _, h := range heads {
		wanted[Head{Seal: h.Seal, Hash: h.Hash}] = true
	}
	sealed := func(h Head) { delete(wanted, Head{Seal: h.Seal, Hash: h.Hash}) }
	for i, n := range numbers {
		r := reader{key: key, sealed: sealed, record: report.count}
		name := segmentName(dir, n)
		if err := whole(name, r.read(name)); err != nil {
			return report, err
		}
		before, _ := r.opening.head()
		if i == 0 {
			report.From, report.Head = before.Seal, before
			sealed(before)
		}
		if before != report.Head || r.opening.Segment != n || i > 0 && n != numbers[i-1]+1 {
			return report, fmt.Errorf("%w: %s does not follow the segment before it", ErrDamaged, filepath.Base(name))
		}
		report.Head = r.head
		report.Segments++
	}
	for h := range wanted {
		return report, fmt.Errorf("%w: the log has no seal %s", ErrCut, h)
	}
	return report, nil
}

func (r *Report) count(record []byte) error {
	for _, o := range []outcome{made, wrong, spent} {
		if bytes.Contains(record, []byte(`"outcome":"`+o+`"`)) {
			r.Outcomes[string(o)]++
			return nil
		}
	}
	return fmt.Errorf("no outcome in a record")
}
