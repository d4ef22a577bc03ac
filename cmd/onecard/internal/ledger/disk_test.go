package ledger_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"

	"pbochsm/cmd/onecard/internal/ledger"
	"pbochsm/cmd/onecard/internal/recharge"
)

var diskFaults = flag.Int("ledger.faults", 8, "at how many calls of a run each fault of TestDisk begins")

// A diskFault is what a disk answers from a call on, until it is mended.
type diskFault struct {
	code  int32 // of SQLite
	kinds []stepKind
	half  bool // of a write half is there
	once  bool // the disk is well again afterwards
}

var faults = map[string]diskFault{
	"full":            {code: sqlite3.SQLITE_FULL, kinds: []stepKind{stepWrite}},
	"full, half":      {code: sqlite3.SQLITE_FULL, kinds: []stepKind{stepWrite}, half: true},
	"write error":     {code: sqlite3.SQLITE_IOERR_WRITE, kinds: []stepKind{stepWrite}, half: true},
	"one write error": {code: sqlite3.SQLITE_IOERR_WRITE, kinds: []stepKind{stepWrite}, once: true},
	"sync error":      {code: sqlite3.SQLITE_IOERR_FSYNC, kinds: []stepKind{stepSync}},
	"one sync error":  {code: sqlite3.SQLITE_IOERR_FSYNC, kinds: []stepKind{stepSync}, once: true},
	"truncate error":  {code: sqlite3.SQLITE_IOERR_TRUNCATE, kinds: []stepKind{stepTruncate}},
}

// A badDisk lets calls fail from the one with the number begin on.
type badDisk struct {
	diskFault
	begin int

	mu    sync.Mutex
	calls int
	met   bool
	well  bool
}

// meet gives the code of a call, and tells whether half of a write is done.
func (d *badDisk) meet(kind stepKind, file string) (code int32, half bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.well || !slices.Contains(d.kinds, kind) || strings.HasSuffix(file, "-shm") {
		return sqlite3.SQLITE_OK, false
	}
	d.calls++
	if d.calls < d.begin || d.once && d.met {
		return sqlite3.SQLITE_OK, false
	}
	d.met = true
	return d.code, d.half
}

func (d *badDisk) mend() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.well = true
}

// failing lets the recorded files meet a disk.
func failing(d *badDisk) {
	record.mu.Lock()
	defer record.mu.Unlock()
	record.meet = nil
	if d != nil {
		record.meet = d.meet
	}
}

// salesOnBadDisk is how many sales a run makes while its disk may be bad.
const salesOnBadDisk = 6

// Whatever the disk refuses, at whichever call: what was answered is there,
// what was refused is not, nothing is there twice. Where the disk is full the
// ledger goes on by itself as soon as it is not; where it did not keep what it
// was told to, the ledger asks for the end of its process.
func TestDisk(t *testing.T) {
	template := newSQLite(t)
	first := open(t, template)
	account := merchant(t, first, "M1", 1e12)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(strings.TrimPrefix(template, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		for when, mended := range map[string]bool{"mended while it runs": true, "bad until its end": false} {
			t.Run(name+", "+when, func(t *testing.T) {
				whole := &badDisk{diskFault: faults[name], begin: 1 << 30}
				runOnDisk(t, text, account, whole, mended)
				n := min(*diskFaults, whole.calls)
				for i := range n {
					d := &badDisk{diskFault: faults[name], begin: 1 + i*whole.calls/n}
					runOnDisk(t, text, account, d, mended)
					if !d.met {
						t.Errorf("call %d of %d never came", d.begin, whole.calls)
					}
				}
				t.Logf("at %d of %d calls", n, whole.calls)
			})
		}
	}
}

// A diskRun is a ledger on a bad disk.
type diskRun struct {
	t      *testing.T
	d      *badDisk
	ledger *ledger.Ledger
	sales  []*recharge.Change
	lost   chan error // why the ledger asked for the end of its process

	answered, refused []int
}

// runOnDisk sells on a bad disk, and again once it is mended, or closes the
// ledger on it.
func runOnDisk(t *testing.T, text []byte, account int64, d *badDisk, mended bool) {
	t.Helper()
	dir := t.TempDir()
	dsn := "sqlite:" + filepath.Join(dir, "ledger.db")
	if err := os.WriteFile(filepath.Join(dir, "ledger.db"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	startRecording(dir)
	defer stopRecording()
	r := &diskRun{t: t, d: d, lost: make(chan error, 100)}
	var err error
	r.ledger, err = ledger.Open(context.Background(), ledger.Options{DSN: dsn, Fatal: func(err error) { r.lost <- err }})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 * salesOnBadDisk { // numbers are taken before anything goes wrong
		r.sales = append(r.sales, sale(t, r.ledger, account, i))
	}
	failing(d)
	defer failing(nil)
	for n := range salesOnBadDisk {
		_ = r.sell(n)
	}
	if mended {
		d.mend()
		r.goesOn()
	}
	if err := r.ledger.Close(); err != nil && mended && len(r.lost) == 0 {
		t.Errorf("call %d: close: %v", d.begin, err)
	}
	d.mend()
	checkSales(t, dsn, r.answered, r.refused)
}

func (r *diskRun) sell(n int) error {
	err := r.ledger.Commit(context.Background(), r.sales[n])
	switch {
	case err == nil:
		r.answered = append(r.answered, n)
	case errors.Is(err, recharge.ErrStore):
		r.refused = append(r.refused, n)
	case len(r.lost) == 0:
		r.t.Errorf("call %d: sale %d: %v", r.d.begin, n, err)
	}
	return err
}

// goesOn tells whether the ledger works as before on a disk that was mended,
// unless it may have lost something.
func (r *diskRun) goesOn() {
	if r.d.met && r.d.code == sqlite3.SQLITE_IOERR_FSYNC && len(r.lost) == 0 {
		r.t.Errorf("call %d: a commit was not synchronised, and the ledger goes on", r.d.begin)
	}
	if len(r.lost) > 0 {
		if err := <-r.lost; r.d.code != sqlite3.SQLITE_IOERR_FSYNC {
			r.t.Errorf("call %d: the ledger is given up: %v", r.d.begin, err)
		}
		r.lost <- nil
		return
	}
	for n := salesOnBadDisk; n < 2*salesOnBadDisk; n++ {
		if err := r.sell(n); err != nil {
			r.t.Errorf("call %d: the disk is well, and sale %d gets %v", r.d.begin, n, err)
		}
	}
}

// checkSales opens the ledger anew and looks for what was answered, and for
// what was said not to be there.
func checkSales(t *testing.T, dsn string, answered, refused []int) {
	t.Helper()
	l := open(t, dsn)
	r := sound(t, l)
	for _, n := range answered {
		hasSale(t, l, n)
	}
	for _, n := range refused {
		k, err := l.Find(context.Background(), recharge.Question{Domain: "WEBM", TradeID: fmt.Sprintf("T%d", n)})
		if err != nil || k.Order != nil {
			t.Errorf("sale %d was refused and is there: %+v, %v", n, k, err)
		}
	}
	if r.Orders < int64(len(answered)) {
		t.Errorf("%d orders, %d answered", r.Orders, len(answered))
	}
}
