// Package audit keeps the daemon's audit log: a durable line for every MAC
// that was made and for every claimed MAC that was wrong, written before the
// answer leaves. An HSM wraps another mac.HSM with it: no record, no answer.
//
// A log is a directory of segments, each a text file of JSON lines:
//
//	{"audit":"pbochsm 1","store":"26435F","segment":1,"seal":0,"records":0,"previous":"0000…"}
//	{"at":"2026-11-28T05:07:52.120913Z","outcome":"made","operation":"load","key":"01/load/01/00",…}
//	{"seal":1,"records":1,"hash":"B1F0…","tag":"77A2…"}
//
// A head line opens a segment and takes up where the one before it ended.
// Records follow, and seals: one for each write to the disk. The hash of a seal
// is SHA-256 over the hash of the seal before it, all bytes since, and the
// line's own first members; so it fixes everything that was ever recorded. Its
// tag is HMAC-SHA-256 of the hash under a key that derives from the keystore's
// storage master key. Who cannot open the keystore cannot alter a byte unseen.
//
// Neither hash nor tag can tell that seals are missing at the end. The head of
// a log, its last seal's number and hash, can: it is meant to be kept elsewhere
// (Options.HeadFile, the daemon's own log).
package audit

import "errors"

// Errors of a log.
var (
	// ErrDamaged is a log that is not as it was written: altered, cut in the
	// middle, in the wrong order, or sealed with another key.
	ErrDamaged = errors.New("audit: log damaged")
	// ErrCut is a log that ends before a head that is known of it.
	ErrCut = errors.New("audit: records are missing at the end")
	// ErrInUse is a log that another process writes.
	ErrInUse = errors.New("audit: log is being written by another process")
	// ErrUnrecorded is the answer to an operation that could not be recorded.
	ErrUnrecorded = errors.New("audit: not recorded, so not answered")
)
