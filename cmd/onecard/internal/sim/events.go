package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// An Event is one thing that happened in the sandbox.
type Event struct {
	ID   int64     `json:"id"`
	Time time.Time `json:"time"`
	Kind string    `json:"kind"` // request, card, order, account, fault, clock, world
	Text string    `json:"text"`
	Code string    `json:"code,omitempty"` // ErrorCode of a request
}

// A hub hands events to whoever watches. A watcher that does not keep up
// misses some; it sees by their numbers which.
type hub struct {
	now      func() time.Time
	mu       sync.Mutex
	last     int64
	recent   []Event
	watchers map[chan Event]struct{}
	closed   chan struct{}
}

const recentEvents = 200

func newHub(now func() time.Time) *hub {
	return &hub{now: now, watchers: map[chan Event]struct{}{}, closed: make(chan struct{})}
}

func (h *hub) publish(kind, code, format string, a ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	e := Event{ID: h.last, Time: h.now(), Kind: kind, Code: code, Text: fmt.Sprintf(format, a...)}
	h.recent = append(h.recent, e)
	if len(h.recent) > recentEvents {
		h.recent = h.recent[1:]
	}
	for w := range h.watchers {
		select {
		case w <- e:
		default:
		}
	}
}

// watch gives the events after the one with the number after, and a channel
// of those to come.
func (h *hub) watch(after int64) (past []Event, next chan Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.recent {
		if e.ID > after {
			past = append(past, e)
		}
	}
	next = make(chan Event, 64)
	h.watchers[next] = struct{}{}
	return past, next
}

func (h *hub) leave(next chan Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.watchers, next)
}

// close ends every stream, so that a server can drain.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.closed:
	default:
		close(h.closed)
	}
}

// stream is GET /_sim/events: server-sent events, with those that the client
// has missed first.
func (h *hub) stream(w http.ResponseWriter, r *http.Request) {
	var after int64
	_, _ = fmt.Sscanf(r.Header.Get("Last-Event-ID"), "%d", &after) // none: from the beginning
	past, next := h.watch(after)
	defer h.leave(next)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	control := http.NewResponseController(w)
	send := func(e Event) error {
		data, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "id: %d\ndata: %s\n\n", e.ID, data); err != nil {
			return err
		}
		return control.Flush()
	}
	_ = control.SetWriteDeadline(time.Time{}) // a stream outlives the deadline of an answer
	for _, e := range past {
		if send(e) != nil {
			return
		}
	}
	if control.Flush() != nil {
		return
	}
	for {
		select {
		case <-r.Context().Done():
			return
		case <-h.closed:
			return
		case e := <-next:
			if send(e) != nil {
				return
			}
		}
	}
}
