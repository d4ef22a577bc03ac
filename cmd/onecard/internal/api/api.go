package api

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strings"
	"sync/atomic"

	"pbochsm/cmd/onecard/internal/api/contract"
	"pbochsm/cmd/onecard/internal/recharge"
)

// An API answers HTTP requests. It is safe for concurrent use.
type API struct {
	Options
	endpoints map[string]*endpoint    // by path
	others    map[string]http.Handler // pages and probes, by path
	domains   map[string]*Domain      // by code, upper case
	nobody    *Domain                 // stands in for a domain that does not exist

	perDomain *limiter
	perSource *limiter
	badTokens *limiter
	work      chan struct{} // a place for each request at work
	counters  *counters
	draining  atomic.Bool
}

var _ http.Handler = (*API)(nil)

// New checks the options and makes an API of them.
func New(o Options) (*API, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	o.Limits.complete()
	var key [16]byte
	if _, err := io.ReadFull(o.Rand, key[:]); err != nil {
		return nil, fmt.Errorf("api: randomness: %w", err)
	}
	a := &API{
		Options:   o,
		endpoints: map[string]*endpoint{},
		domains:   map[string]*Domain{},
		nobody:    &Domain{Key: NewKey(hex.EncodeToString(key[:]))},
		perDomain: newLimiter(o.Limits.PerDomain),
		perSource: newLimiter(o.Limits.PerSource),
		badTokens: newLimiter(o.Limits.BadTokens),
		work:      make(chan struct{}, o.Limits.InFlight),
	}
	for _, e := range contract.Endpoints() {
		a.endpoints[e.Path] = &endpoint{e, e.Names()}
	}
	for i := range a.Domains {
		a.domains[strings.ToUpper(a.Domains[i].Code)] = &a.Domains[i]
	}
	var err error
	if a.counters, err = newCounters(a); err != nil {
		return nil, err
	}
	a.others, err = a.pages()
	return a, err
}

// Drain makes readyz fail from now on, so that load balancers look elsewhere.
// What arrives is still answered; http.Server.Shutdown ends that.
func (a *API) Drain() { a.draining.Store(true) }

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begin := a.Now()
	x := &exchange{api: a, w: w, r: r, id: a.requestID(r), language: speak(r.Header.Get("Accept-Language"), a.Language)}
	x.request = request{rules: &a.Rules, source: a.source(r)}
	w.Header().Set("X-Request-Id", x.id)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	defer func() {
		if p := recover(); p != nil {
			x.panicked(p)
		}
	}()
	if e, ok := a.endpoints[r.URL.Path]; ok {
		x.request.endpoint = e
		values, refused := x.handle()
		x.answer(values, refused)
		x.record(begin)
		return
	}
	if h := a.other(r.URL.Path); h != nil {
		h.ServeHTTP(w, r)
		return
	}
	x.answer(nil, &refusal{code: recharge.BadMethod, status: http.StatusNotFound})
	x.record(begin)
}

// An exchange is a request to an endpoint with what is known of it so far.
type exchange struct {
	api      *API
	w        http.ResponseWriter
	r        *http.Request
	id       string
	language contract.Language
	request  request // its endpoint is nil if none has that path
	verified bool    // token and domain
	outcome  *refusal
}

// handle takes a request through everything but the answer.
func (x *exchange) handle() (values []string, refused *refusal) {
	if refused := accepts(x.r); refused != nil {
		return nil, refused
	}
	if !x.api.perSource.allow(x.api.Now(), x.request.source) {
		return nil, refuse(recharge.TooManyRequests)
	}
	refused = read(x.r, func(body []byte) *refusal { return x.admit(body) })
	if refused != nil {
		return nil, refused
	}
	select {
	case x.api.work <- struct{}{}:
		defer func() { <-x.api.work }()
	default:
		return nil, refuse(recharge.Busy)
	}
	return x.do()
}

// do asks the domain. Its refusals are told, all other errors are internal. A
// caller that leaves does not cut off what has begun: it will ask again, and
// should find an outcome.
func (x *exchange) do() (values []string, refused *refusal) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.r.Context()), x.api.Limits.Answer)
	defer cancel()
	if hook := x.api.AfterToken; hook != nil {
		if err := hook(ctx, x.request.endpoint.Path); err != nil {
			return nil, &refusal{code: recharge.Busy, cause: err}
		}
	}
	values, err := calls[x.request.endpoint.Path](ctx, x.api.Service, &x.request)
	var told *recharge.Error
	switch {
	case err == nil:
		return values, nil
	case errors.As(err, &told):
		return nil, &refusal{
			code: told.Code, field: x.request.endpoint.spelling(told.Field), cause: told.Cause,
			spent: told.Code == recharge.TooManyRequests,
		}
	}
	return nil, &refusal{code: recharge.Internal, cause: err}
}

// panicked ends an exchange that cannot be ended otherwise. The value of the
// panic may hold anything, so only its type is logged.
func (x *exchange) panicked(p any) {
	if p == http.ErrAbortHandler { //nolint:errorlint // the value that net/http documents
		panic(p)
	}
	x.api.counters.panics.Inc()
	x.api.Log.Error("panic", "id", x.id, "path", x.path(), "type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
	x.w.Header().Set("Connection", "close")
	x.answer(nil, refuse(recharge.Internal))
}
