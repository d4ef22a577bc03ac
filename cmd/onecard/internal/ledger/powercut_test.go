package ledger_test

import (
	"context"
	"flag"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"pbochsm/cmd/onecard/internal/ledger"
)

var powerCuts = flag.Int("ledger.powercuts", 6, "how many images TestPowerCut makes of one run")

// A recorder stands between SQLite and the operating system, and notes what
// was written, cut to length and synchronised, in order, and what the ledger
// has answered in between. From such a record every image can be made that a
// power cut could leave: what was synchronised is there, and of what was not,
// any part of any write may be there or not.
type recorder struct {
	mu     sync.Mutex
	folder string // whose files are recorded; empty: none
	steps  []step
	files  map[uintptr]string

	meet func(stepKind, string) (code int32, half bool) // nil, or what a call meets; see disk_test.go
}

// meets gives what a call meets before it reaches the operating system.
func (r *recorder) meets(kind stepKind, file string) (code int32, half bool) {
	r.mu.Lock()
	meet := r.meet
	r.mu.Unlock()
	if meet == nil {
		return sqlite3.SQLITE_OK, false
	}
	return meet(kind, file)
}

type step struct {
	kind stepKind
	file string
	at   int64
	data []byte
	sale int
}

type stepKind uint8

const (
	stepWrite stepKind = iota
	stepTruncate
	stepSync
	stepAnswer
)

// The functions of SQLite's file that are looked at, and those behind them.
// SQLite calls back by plain functions, so these are the test's only globals.
var (
	record                        = recorder{files: map[uintptr]string{}}
	realOpen, realWrite, realSync uintptr
	realTruncate, realClose       uintptr
	registerRecorder              sync.Once
	recordedMethods               = map[uintptr]uintptr{} // of the system's to ours
	recordedVFS, systemVFS        uintptr
)

func (r *recorder) note(s step) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steps = append(r.steps, s)
}

// of gives the name of an open file, if it is recorded.
func (r *recorder) of(file uintptr) (string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	name, ok := r.files[file]
	return name, ok
}

// function is a Go function as the translated SQLite calls one.
func function(f any) uintptr {
	type face [2]uintptr
	return (*face)(unsafe.Pointer(&f))[1]
}

// address is a place in memory that does not belong to Go.
func address(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

func callOpen(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32 {
	rc := (*(*func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32)(unsafe.Pointer(&struct{ uintptr }{realOpen})))(tls, systemVFS, name, file, flags, out)
	if rc != sqlite3.SQLITE_OK || name == 0 {
		return rc
	}
	path := libc.GoString(name)
	record.mu.Lock()
	defer record.mu.Unlock()
	if record.folder == "" || filepath.Dir(path) != record.folder {
		return rc
	}
	f := (*sqlite3.Tsqlite3_file)(address(file))
	f.FpMethods = methods(tls, f.FpMethods)
	record.files[file] = filepath.Base(path)
	return rc
}

// methods gives a copy of a table of methods in which ours stand.
func methods(tls *libc.TLS, of uintptr) uintptr {
	if ours, ok := recordedMethods[of]; ok {
		return ours
	}
	size := unsafe.Sizeof(sqlite3.Tsqlite3_io_methods{})
	ours := libc.Xmalloc(tls, libc.Tsize_t(size))
	m := (*sqlite3.Tsqlite3_io_methods)(address(ours))
	*m = *(*sqlite3.Tsqlite3_io_methods)(address(of))
	realWrite, realSync, realTruncate, realClose = m.FxWrite, m.FxSync, m.FxTruncate, m.FxClose
	m.FxWrite, m.FxSync = function(callWrite), function(callSync)
	m.FxTruncate, m.FxClose = function(callTruncate), function(callClose)
	recordedMethods[of] = ours
	return ours
}

func callWrite(tls *libc.TLS, file, data uintptr, n int32, at int64) int32 {
	code := int32(sqlite3.SQLITE_OK)
	if name, ok := record.of(file); ok {
		half := false
		if code, half = record.meets(stepWrite, name); half {
			n /= 2
		} else if code != sqlite3.SQLITE_OK {
			return code
		}
		record.note(step{kind: stepWrite, file: name, at: at, data: slices.Clone(unsafe.Slice((*byte)(address(data)), n))})
	}
	rc := (*(*func(*libc.TLS, uintptr, uintptr, int32, int64) int32)(unsafe.Pointer(&struct{ uintptr }{realWrite})))(tls, file, data, n, at)
	if code != sqlite3.SQLITE_OK {
		return code
	}
	return rc
}

// callSync notes the synchronisation after it has returned: until then a power
// cut may leave anything.
func callSync(tls *libc.TLS, file uintptr, flags int32) int32 {
	if name, ok := record.of(file); ok {
		if code, _ := record.meets(stepSync, name); code != sqlite3.SQLITE_OK {
			return code
		}
	}
	rc := (*(*func(*libc.TLS, uintptr, int32) int32)(unsafe.Pointer(&struct{ uintptr }{realSync})))(tls, file, flags)
	if name, ok := record.of(file); ok && rc == sqlite3.SQLITE_OK {
		record.note(step{kind: stepSync, file: name})
	}
	return rc
}

func callTruncate(tls *libc.TLS, file uintptr, size int64) int32 {
	if name, ok := record.of(file); ok {
		if code, _ := record.meets(stepTruncate, name); code != sqlite3.SQLITE_OK {
			return code
		}
		record.note(step{kind: stepTruncate, file: name, at: size})
	}
	return (*(*func(*libc.TLS, uintptr, int64) int32)(unsafe.Pointer(&struct{ uintptr }{realTruncate})))(tls, file, size)
}

func callClose(tls *libc.TLS, file uintptr) int32 {
	record.mu.Lock()
	delete(record.files, file)
	record.mu.Unlock()
	return (*(*func(*libc.TLS, uintptr) int32)(unsafe.Pointer(&struct{ uintptr }{realClose})))(tls, file)
}

// startRecording records the files of folder from now on.
func startRecording(folder string) {
	registerRecorder.Do(func() {
		tls := libc.NewTLS()
		systemVFS = sqlite3.Xsqlite3_vfs_find(tls, 0)
		recordedVFS = libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})))
		v := (*sqlite3.Tsqlite3_vfs)(address(recordedVFS))
		*v = *(*sqlite3.Tsqlite3_vfs)(address(systemVFS))
		realOpen, v.FxOpen, v.FpNext = v.FxOpen, function(callOpen), 0
		name, _ := libc.CString("recorded")
		v.FzName = name
		sqlite3.Xsqlite3_vfs_register(tls, recordedVFS, 1)
	})
	record.mu.Lock()
	defer record.mu.Unlock()
	record.folder, record.steps = folder, nil
}

func stopRecording() []step {
	record.mu.Lock()
	defer record.mu.Unlock()
	record.folder = ""
	return record.steps
}

// An image is what a disk may hold after a power cut.
type image struct {
	files    map[string][]byte
	answered []int
}

// cut makes the image of a power cut after so many steps.
func cut(base map[string][]byte, steps []step, pick *rand.Rand) image {
	im := image{files: map[string][]byte{}}
	for name, data := range base {
		im.files[name] = slices.Clone(data)
	}
	pending := map[string][]step{}
	for _, s := range steps {
		switch s.kind {
		case stepAnswer:
			im.answered = append(im.answered, s.sale)
		case stepSync:
			for _, p := range pending[s.file] {
				im.apply(p, len(p.data))
			}
			delete(pending, s.file)
		default:
			pending[s.file] = append(pending[s.file], s)
		}
	}
	for _, file := range slices.Sorted(maps.Keys(pending)) {
		for _, p := range pending[file] {
			switch pick.IntN(3) {
			case 0:
				im.apply(p, len(p.data))
			case 1:
				im.apply(p, pick.IntN(len(p.data)/512+1)*512) // some sectors of it
			}
		}
	}
	return im
}

func (im *image) apply(s step, n int) {
	data := im.files[s.file]
	if s.kind == stepTruncate {
		im.files[s.file] = append(data, make([]byte, max(0, int(s.at)-len(data)))...)[:s.at]
		return
	}
	end := int(s.at) + n
	if len(data) < end {
		data = append(data, make([]byte, end-len(data))...)
	}
	copy(data[s.at:end], s.data[:n])
	im.files[s.file] = data
}

// Wherever the power is cut, what was answered is there, what is there is
// there once, and the ledger opens at once.
func TestPowerCut(t *testing.T) {
	dsn := newSQLite(t)
	folder := filepath.Dir(strings.TrimPrefix(dsn, "sqlite:"))
	base := map[string][]byte{}
	first := open(t, dsn)
	account := merchant(t, first, "M1", 1e12)
	if err := first.Close(); err != nil { // folds the log into the file
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	base["ledger.db"] = text
	startRecording(folder)
	sell(t, dsn, account)
	steps := stopRecording()
	kinds := map[stepKind]int{}
	for _, s := range steps {
		kinds[s.kind]++
	}
	if kinds[stepWrite] == 0 || kinds[stepSync] < 3 || kinds[stepAnswer] == 0 {
		t.Fatalf("the record has %v: it shows nothing", kinds)
	}
	lost := 0
	for n := range *powerCuts {
		pick := rand.New(rand.NewPCG(uint64(n), 2))
		im := cut(base, steps[:pick.IntN(len(steps)+1)], pick)
		lost += len(im.answered)
		checkImage(t, im)
	}
	t.Logf("%d writes, %d synchronisations; %d images, %d answers looked for", kinds[stepWrite], kinds[stepSync], *powerCuts, lost)
}

// sell runs a ledger for a while under the recorder. The automatic folding of
// the log into the file happens within it.
func sell(t *testing.T, dsn string, account int64) {
	l, err := ledger.Open(context.Background(), ledger.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	together(16, func(i int) {
		for n := i; n < 300; n += 16 {
			if err := l.Commit(context.Background(), sale(t, l, account, n)); err != nil {
				t.Error(err)
				return
			}
			record.note(step{kind: stepAnswer, sale: n})
		}
	})
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func checkImage(t *testing.T, im image) {
	t.Helper()
	dir := t.TempDir()
	for name, data := range im.files {
		if strings.HasSuffix(name, "-shm") {
			continue // it does not outlive the machine
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	start := time.Now()
	l, err := ledger.Open(context.Background(), ledger.Options{DSN: "sqlite:" + filepath.Join(dir, "ledger.db")})
	if err != nil {
		t.Errorf("after a power cut: %v", err)
		return
	}
	defer l.Close()
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("the restart took %v", took)
	}
	sound(t, l)
	for _, n := range im.answered {
		hasSale(t, l, n)
	}
}
