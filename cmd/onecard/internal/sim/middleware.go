package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The headers by which one request asks for what the sandbox can do to it.
const (
	HeaderError   = "X-Sim-Error"   // answer this code and do nothing
	HeaderDelay   = "X-Sim-Delay"   // answer this much later
	HeaderDrop    = "X-Sim-Drop"    // before or after-commit: end the connection instead of answering
	HeaderExplain = "X-Sim-Explain" // 1: the answer has the address of its explanation in this header
)

// maxBody is what the sandbox reads of a body; the API accepts half of it.
const maxBody = 16 << 10

// An exchange is a request to the API with its answer.
type exchange struct {
	ID     int64
	Time   time.Time
	Path   string
	Body   []byte
	Status int
	Answer []byte
}

// code is the ErrorCode of the answer.
func (e *exchange) code() string {
	var a struct{ ErrorCode string }
	_ = json.Unmarshal(e.Answer, &a) // what is no JSON has no code
	return a.ErrorCode
}

// A book keeps the last exchanges.
type book struct {
	mu   sync.Mutex
	last int64
	all  map[int64]*exchange
}

const keptExchanges = 500

func (b *book) add(e *exchange) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	e.ID = b.last
	b.all[e.ID] = e
	delete(b.all, e.ID-keptExchanges)
}

func (b *book) find(id int64) (*exchange, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e, ok := b.all[id]; ok {
		return e, nil
	}
	return nil, fmt.Errorf("%w: no exchange %d is remembered", ErrNotFound, id)
}

// latest gives the youngest exchange before id that is as asked for; nil if none
// is.
func (b *book) latest(id int64, is func(*exchange) bool) *exchange {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id--; id > 0; id-- {
		e, ok := b.all[id]
		if !ok {
			return nil
		}
		if is(e) {
			return e
		}
	}
	return nil
}

// wrap puts the faults and the book around the API. What is not a call of the
// API passes untouched.
func (w *World) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !w.calls[r.URL.Path] {
			next.ServeHTTP(rw, r)
			return
		}
		hits := w.faults.hit(r.URL.Path)
		if err := fromHeaders(r.Header, hits); err != nil {
			answering(func(*http.Request) (any, error) { return nil, err })(rw, r)
			return
		}
		if _, hit := hits[BeforeParse]; hit {
			w.hub.publish("fault", "", "%s: connection ended before the body was read", r.URL.Path)
			panic(http.ErrAbortHandler)
		}
		body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxBody))
		if err != nil {
			body = append(body, make([]byte, maxBody)...) // too long for the API as well, which says so
		}
		e := &exchange{Time: w.clock.Now(), Path: r.URL.Path, Body: body}
		answer := w.deliver(next, r, e, hits)
		w.hub.publish("request", e.code(), "%d %s %s", e.ID, e.Path, e.code())
		if r.Header.Get(HeaderExplain) == "1" {
			answer.Header().Set(HeaderExplain, "/_sim/explain/"+strconv.FormatInt(e.ID, 10))
		}
		send(rw, r, answer, hits)
	})
}

// deliver has the API answer, once or twice, with the faults in its context.
func (w *World) deliver(next http.Handler, r *http.Request, e *exchange, hits map[Point]Fault) *httptest.ResponseRecorder {
	if _, hit := hits[Midnight]; hit {
		now := w.clock.Now()
		w.clock.Set(time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 1, 0, now.Location()), w.clock.Held())
	}
	times := 1
	if _, hit := hits[Twice]; hit {
		times = 2
	}
	ctx := context.WithValue(r.Context(), hitsKey{}, hits)
	var answer *httptest.ResponseRecorder
	for range times {
		again := r.Clone(ctx)
		again.Body, again.ContentLength = io.NopCloser(bytes.NewReader(e.Body)), int64(len(e.Body))
		answer = httptest.NewRecorder()
		if code := r.Header.Get(HeaderError); code != "" {
			answer.Header().Set("Content-Type", "application/json; charset=utf-8")
			_ = json.NewEncoder(answer).Encode(map[string]string{"ErrorCode": code, "ErrorMsg": "sandbox: asked for by " + HeaderError})
		} else {
			next.ServeHTTP(answer, again)
		}
		e.Status, e.Answer = answer.Code, answer.Body.Bytes()
		w.book.add(e)
	}
	return answer
}

// fromHeaders adds the faults that a request asks for itself.
func fromHeaders(h http.Header, hits map[Point]Fault) error {
	if code := h.Get(HeaderError); code != "" && (len(code) > 12 || strings.Trim(code, "0123456789") != "") {
		return fmt.Errorf("%w: %s is not a code", ErrRequest, HeaderError)
	}
	if text := h.Get(HeaderDelay); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 || d > time.Minute {
			return fmt.Errorf("%w: %s is not a time up to 1m", ErrRequest, HeaderDelay)
		}
		hits[LateAnswer] = Fault{Point: LateAnswer, Delay: d}
	}
	switch h.Get(HeaderDrop) {
	case "":
	case "before":
		hits[BeforeParse] = Fault{Point: BeforeParse}
	case "after-commit":
		hits[AfterCommit] = Fault{Point: AfterCommit}
	default:
		return fmt.Errorf("%w: %s is before or after-commit", ErrRequest, HeaderDrop)
	}
	return nil
}

// send gives the answer to the client, as well as the faults let it.
func send(rw http.ResponseWriter, r *http.Request, answer *httptest.ResponseRecorder, hits map[Point]Fault) {
	if f, hit := hits[LateAnswer]; hit {
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
		}
	}
	if has(hits, AfterCommit) || has(hits, BeforeCommit) {
		panic(http.ErrAbortHandler) // the server ends the connection and says nothing
	}
	for name, values := range answer.Header() {
		rw.Header()[name] = values
	}
	body := answer.Body.Bytes()
	rw.Header().Set("Content-Length", strconv.Itoa(len(body)))
	rw.WriteHeader(answer.Code)
	control := http.NewResponseController(rw)
	switch {
	case has(hits, HalfFrame):
		_, _ = rw.Write(body[:len(body)/2])
		_ = control.Flush()
		panic(http.ErrAbortHandler)
	case has(hits, SlowSender):
		for i := range body {
			if _, err := rw.Write(body[i : i+1]); err != nil || control.Flush() != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	default:
		_, _ = rw.Write(body) // a client that has gone asks again
	}
}

func has(hits map[Point]Fault, p Point) bool {
	_, ok := hits[p]
	return ok
}
