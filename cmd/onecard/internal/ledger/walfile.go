package ledger

import (
	"sync"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// SQLite writes its log frame by frame, each in two pieces. What a system call
// costs is then most of what a commit costs, and nobody reads the frames before
// they are synchronised. The connection that writes therefore opens its files
// through a layer that keeps what is written to the log one after the other,
// and hands it on in one piece: before it is synchronised, and before the log
// is looked at in any other way.
//
// The order of writing and synchronising does not change, so neither does what
// a power cut can leave.

// gathering is the name of the layer among the file systems of SQLite.
const gathering = "onecard-gathering"

// mostGathered is how much is kept at most. SQLite's own files take no more
// than 128 KiB at once.
const mostGathered = 1 << 16

// A logFile is a log that is open through the layer.
type logFile struct {
	below *lib.Tsqlite3_io_methods
	data  uintptr // what is kept, outside of the memory that Go moves or frees
	kept  int32
	at    int64 // where it belongs
}

// SQLite calls back by plain functions, so what they work on cannot be anywhere
// else.
var logs struct {
	setUp   sync.Once
	open    sync.Map            // of the address of a file to its *logFile
	mu      sync.Mutex          // guards methods
	methods map[uintptr]uintptr // from those of the file system to those of the layer
}

// setUpGathering makes the layer known to SQLite, on top of whatever file system
// is the default when a file is opened.
func setUpGathering() {
	logs.setUp.Do(func() {
		tls := libc.NewTLS()
		defer tls.Close()
		layer := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(lib.Tsqlite3_vfs{})))
		name, err := libc.CString(gathering)
		if layer == 0 || err != nil {
			return // opening will say that there is no such file system
		}
		v := at[lib.Tsqlite3_vfs](layer)
		*v = *at[lib.Tsqlite3_vfs](lib.Xsqlite3_vfs_find(tls, 0))
		v.FzName, v.FpNext, v.FxOpen = name, 0, callback(openGathering)
		lib.Xsqlite3_vfs_register(tls, layer, 0)
	})
}

// at is a structure of SQLite.
func at[T any](address uintptr) *T {
	return *(**T)(unsafe.Pointer(&address)) //nolint:gosec // memory of SQLite, which Go neither moves nor frees
}

// callback is a function as SQLite calls it, and called is the reverse.
func callback[F any](f F) uintptr {
	return *(*uintptr)(unsafe.Pointer(&f)) //nolint:gosec // how the translated SQLite holds functions
}

func called[F any](address uintptr) F {
	return *(*F)(unsafe.Pointer(&address)) //nolint:gosec // the same
}

type (
	openFunc  = func(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32
	moveFunc  = func(tls *libc.TLS, file, data uintptr, n int32, at int64) int32
	sizeFunc  = func(tls *libc.TLS, file uintptr, size int64) int32
	askFunc   = func(tls *libc.TLS, file, out uintptr) int32
	syncFunc  = func(tls *libc.TLS, file uintptr, flags int32) int32
	closeFunc = func(tls *libc.TLS, file uintptr) int32
)

func openGathering(tls *libc.TLS, _, name, file uintptr, flags int32, out uintptr) int32 {
	base := lib.Xsqlite3_vfs_find(tls, 0)
	rc := called[openFunc](at[lib.Tsqlite3_vfs](base).FxOpen)(tls, base, name, file, flags, out)
	if rc != lib.SQLITE_OK || flags&lib.SQLITE_OPEN_WAL == 0 {
		return rc
	}
	f := at[lib.Tsqlite3_file](file)
	data := libc.Xmalloc(tls, mostGathered)
	if data == 0 {
		return rc // then it is written piece by piece
	}
	logs.open.Store(file, &logFile{below: at[lib.Tsqlite3_io_methods](f.FpMethods), data: data})
	f.FpMethods = gatheringMethods(tls, f.FpMethods)
	return rc
}

// gatheringMethods gives the table of the layer's methods above others.
func gatheringMethods(tls *libc.TLS, below uintptr) uintptr {
	logs.mu.Lock()
	defer logs.mu.Unlock()
	if ours, ok := logs.methods[below]; ok {
		return ours
	}
	ours := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(lib.Tsqlite3_io_methods{})))
	m := at[lib.Tsqlite3_io_methods](ours)
	*m = *at[lib.Tsqlite3_io_methods](below)
	m.FxWrite, m.FxRead, m.FxSync = callback(gather), callback(readGathered), callback(syncGathered)
	m.FxTruncate, m.FxFileSize, m.FxClose = callback(truncateGathered), callback(sizeGathered), callback(closeGathered)
	if logs.methods == nil {
		logs.methods = map[uintptr]uintptr{}
	}
	logs.methods[below] = ours
	return ours
}

func logOf(file uintptr) *logFile {
	l, _ := logs.open.Load(file)
	return l.(*logFile) //nolint:errcheck,forcetypeassert // only these are stored, before the methods are there
}

// flush hands on what is kept.
func (l *logFile) flush(tls *libc.TLS, file uintptr) int32 {
	if l.kept == 0 {
		return lib.SQLITE_OK
	}
	n := l.kept
	l.kept = 0
	return called[moveFunc](l.below.FxWrite)(tls, file, l.data, n, l.at)
}

func gather(tls *libc.TLS, file, data uintptr, n int32, offset int64) int32 {
	l := logOf(file)
	if l.kept > 0 && (offset != l.at+int64(l.kept) || l.kept+n > mostGathered) {
		if rc := l.flush(tls, file); rc != lib.SQLITE_OK {
			return rc
		}
	}
	if n > mostGathered {
		return called[moveFunc](l.below.FxWrite)(tls, file, data, n, offset)
	}
	if l.kept == 0 {
		l.at = offset
	}
	copy(at[[mostGathered]byte](l.data)[l.kept:], at[[mostGathered]byte](data)[:n])
	l.kept += n
	return lib.SQLITE_OK
}

func syncGathered(tls *libc.TLS, file uintptr, flags int32) int32 {
	l := logOf(file)
	if rc := l.flush(tls, file); rc != lib.SQLITE_OK {
		return rc
	}
	return called[syncFunc](l.below.FxSync)(tls, file, flags)
}

func readGathered(tls *libc.TLS, file, data uintptr, n int32, offset int64) int32 {
	l := logOf(file)
	if rc := l.flush(tls, file); rc != lib.SQLITE_OK {
		return rc
	}
	return called[moveFunc](l.below.FxRead)(tls, file, data, n, offset)
}

func truncateGathered(tls *libc.TLS, file uintptr, size int64) int32 {
	l := logOf(file)
	if rc := l.flush(tls, file); rc != lib.SQLITE_OK {
		return rc
	}
	return called[sizeFunc](l.below.FxTruncate)(tls, file, size)
}

func sizeGathered(tls *libc.TLS, file, out uintptr) int32 {
	l := logOf(file)
	if rc := l.flush(tls, file); rc != lib.SQLITE_OK {
		return rc
	}
	return called[askFunc](l.below.FxFileSize)(tls, file, out)
}

// closeGathered closes the log. What was kept and not synchronised was never
// committed.
func closeGathered(tls *libc.TLS, file uintptr) int32 {
	l := logOf(file)
	logs.open.Delete(file)
	rc := l.flush(tls, file)
	libc.Xfree(tls, l.data)
	if end := called[closeFunc](l.below.FxClose)(tls, file); rc == lib.SQLITE_OK {
		return end
	}
	return rc
}
