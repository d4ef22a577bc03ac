package settlement

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"pbochsm/mac"
	"pbochsm/mac/digits"
)

// ErrChanged is a state file that belongs to another run: other files, other
// keys, another format.
var ErrChanged = errors.New("settlement: the state file is of another run")

// stateFormat is the version of state files that this package reads and
// writes.
const stateFormat = 1

// A state is where a run stands, as a state file keeps it: everything before a
// place in the input is in the counts and in the first bytes of the verdict
// file.
type state struct {
	Format   int        `json:"format"`
	Run      identities `json:"run"`
	File     int        `json:"file"`   // from 1; the text of the files before is done
	Offset   int64      `json:"offset"` // in the text of that file; 0: not begun
	Line     int64      `json:"line"`   // the number of the next line
	Verdicts int64      `json:"verdicts"`

	Reasons   map[string]map[string]uint64 `json:"reasons"`
	Terminals []terminalState              `json:"terminals"`
	Others    [numVerdicts]uint64          `json:"others"`
}

type terminalState struct {
	Terminal string              `json:"terminal"`
	Counts   [numVerdicts]uint64 `json:"counts"`
}

// identities are what must be the same when a run is taken up again.
type identities struct {
	Files  []fingerprint `json:"files"`
	Keys   string        `json:"keys"`
	Format string        `json:"format"`
	Out    bool          `json:"out"` // whether there is a verdict file
}

func (o *Options) identities() (id identities, err error) {
	for _, name := range o.Files {
		if name == Stdin {
			return id, errors.New("settlement: the standard input cannot be taken up again")
		}
		f, err := fingerprintOf(name)
		if err != nil {
			return id, err
		}
		id.Files = append(id.Files, f)
	}
	format, err := identity(o.Format)
	hash := sha256.Sum256([]byte(format))
	id.Keys, id.Format, id.Out = o.Keys, hex.EncodeToString(hash[:]), o.Out != ""
	return id, err
}

// differs says what is not the same.
func (id *identities) differs(from *identities) error {
	switch {
	case len(id.Files) != len(from.Files):
		return fmt.Errorf("%w: it has %d files", ErrChanged, len(from.Files))
	case id.Keys != from.Keys:
		return fmt.Errorf("%w: the keys have changed", ErrChanged)
	case id.Format != from.Format:
		return fmt.Errorf("%w: columns, layout or constants are others", ErrChanged)
	case id.Out != from.Out:
		return fmt.Errorf("%w: one has a verdict file and the other has not", ErrChanged)
	}
	for i := range id.Files {
		if id.Files[i] != from.Files[i] {
			return fmt.Errorf("%w: file %d has changed", ErrChanged, i+1)
		}
	}
	return nil
}

// readState reads a state file; found is false where there is none yet.
func readState(name string) (s *state, found bool, err error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	s = new(state)
	if err := json.Unmarshal(text, s); err != nil {
		return nil, false, fmt.Errorf("settlement: state file %s: %w", name, err)
	}
	if s.Format != stateFormat || s.File < 1 || s.Offset < 0 || s.Line < 0 || s.Verdicts < 0 {
		return nil, false, fmt.Errorf("settlement: %s is no state file of this version", name)
	}
	return s, true, nil
}

// write replaces the state file, so that at any moment there is a whole one on
// the disk, the old or the new.
func (s *state) write(name string) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	f, err := os.Create(name + ".new")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncFolder(filepath.Dir(name))
}

// keep puts totals into s.
func (s *state) keep(t *totals) {
	s.Reasons = map[string]map[string]uint64{}
	for v := range t.reasons {
		for p, n := range t.reasons[v] {
			if n == 0 {
				continue
			}
			word := Verdict(v).String()
			if s.Reasons[word] == nil {
				s.Reasons[word] = map[string]uint64{}
			}
			s.Reasons[word][part(p).String()] = n
		}
	}
	s.Terminals = make([]terminalState, len(t.terminals))
	for i := range t.terminals {
		s.Terminals[i] = terminalState{hex.EncodeToString(t.terminals[i].terminal[:]), t.terminals[i].counts}
	}
	s.Others = t.others
}

// restore takes totals out of s.
func (s *state) restore(t *totals) error {
	for word, abouts := range s.Reasons {
		for name, n := range abouts {
			v, p := slices.Index(verdictWords[:], word), aboutNamed(name)
			if v < 0 || p == numParts {
				return fmt.Errorf("settlement: the state file counts %q about %q", word, name)
			}
			t.reasons[v][p] = n
		}
	}
	for _, k := range s.Terminals {
		var id mac.TerminalID
		if !digits.Decode(id[:], []byte(k.Terminal)) {
			return fmt.Errorf("settlement: the state file has a terminal %q", k.Terminal)
		}
		*t.of(id) = k.Counts
	}
	t.others = s.Others
	return nil
}
