package protocol

import (
	"context"
	"log/slog"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// What clients can cause is logged at most this often, so that they can
// neither fill a disk nor slow the server down with its own log.
const (
	eventsPerSecond = 20
	eventsAtOnce    = 100
)

// events is the log of the server. It says which field and which reason; there
// is no event that takes a value from a request.
type events struct {
	log        *slog.Logger
	now        func() time.Time
	limit      *rate.Limiter
	suppressed atomic.Uint64
}

func newEvents(log *slog.Logger, now func() time.Time) *events {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &events{log: log, now: now, limit: rate.NewLimiter(eventsPerSecond, eventsAtOnce)}
}

// may tells whether an event that a client has caused is to be logged, or is
// one too many.
func (e *events) may(level slog.Level) bool {
	if !e.log.Enabled(context.Background(), level) {
		return false
	}
	if !e.limit.AllowN(e.now(), 1) {
		e.suppressed.Add(1)
		return false
	}
	return true
}

// say logs an event that may be logged, and how many before it were not.
func (e *events) say(level slog.Level, message string, attrs ...slog.Attr) {
	if n := e.suppressed.Swap(0); n > 0 {
		attrs = append(attrs, slog.Uint64("suppressed", n))
	}
	e.log.LogAttrs(context.Background(), level, message, attrs...)
}

func (e *events) refused(client, command string, s Status, err error) {
	if e.may(slog.LevelInfo) {
		e.say(slog.LevelInfo, "request refused",
			slog.String("client", client), slog.String("command", command),
			slog.String("status", s.String()), slog.String("reason", err.Error()))
	}
}

func (e *events) turnedAway(client, reason string) {
	if e.may(slog.LevelWarn) {
		e.say(slog.LevelWarn, "connection refused", slog.String("client", client), slog.String("reason", reason))
	}
}

func (e *events) closed(client, reason string) {
	if e.may(slog.LevelDebug) {
		e.say(slog.LevelDebug, "connection closed", slog.String("client", client), slog.String("reason", reason))
	}
}

func (e *events) acceptFailed(err error, retry time.Duration) {
	if e.may(slog.LevelError) {
		e.say(slog.LevelError, "accept", slog.String("reason", err.Error()), slog.Duration("retry", retry))
	}
}

// panicked is logged whatever else is. The text of the panic stays out: it may
// quote the request.
func (e *events) panicked(kind, where string) {
	e.log.LogAttrs(context.Background(), slog.LevelError, "panic in a request", slog.String("type", kind), slog.String("where", where))
}

// origin names the functions above a panic, without the argument words that a
// stack trace would print.
func origin() string {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	var where []byte
	for {
		f, more := frames.Next()
		where = append(append(where, f.Function...), ':')
		where = strconv.AppendInt(where, int64(f.Line), 10)
		if !more {
			return string(where)
		}
		where = append(where, ' ')
	}
}
