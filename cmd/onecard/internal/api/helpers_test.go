package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"pbochsm/cmd/onecard/internal/api"
	"pbochsm/cmd/onecard/internal/api/contract"
	"pbochsm/cmd/onecard/internal/api/flat"
	"pbochsm/cmd/onecard/internal/api/token"
	"pbochsm/cmd/onecard/internal/recharge"
)

const (
	appKey  = "key-of-APPM-0123456789"
	termKey = "key-of-TERM-0123456789"
	secret  = "the server's secret of the tests, at least 32 bytes"
)

var clock = time.Date(2026, 11, 23, 1, 15, 1, 0, time.UTC)

// A bench is an API with everything around it in view.
type bench struct {
	*testing.T
	api     *api.API
	service *service
	log     *lockedBuffer
	router  routers.Router
}

func newBench(t *testing.T, change func(*api.Options)) *bench {
	t.Helper()
	b := &bench{T: t, service: &service{}, log: &lockedBuffer{}}
	o := options(t)
	o.Service = b.service
	o.Log = slog.New(slog.NewJSONHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if change != nil {
		change(&o)
	}
	var err error
	if b.api, err = api.New(o); err != nil {
		t.Fatal(err)
	}
	b.loadContract()
	t.Cleanup(b.checkLog)
	return b
}

// options are those of a bench, with a service and a log of their own.
func options(t testing.TB) api.Options {
	t.Helper()
	keys, err := recharge.NewKeys([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, e := range contract.Endpoints() {
		paths = append(paths, e.Path)
	}
	return api.Options{
		Service: &service{}, Keys: keys,
		Domains: []api.Domain{
			{Code: "APPM", Key: api.NewKey(appKey), Endpoints: paths},
			{Code: "TERM", Key: api.NewKey(termKey), Endpoints: []string{"/card/supply"}, Terminals: []string{"112233445566"}},
		},
		Now:   func() time.Time { return clock },
		Rand:  rand.NewChaCha8([32]byte{1}),
		Log:   slog.New(slog.DiscardHandler),
		Ready: func(context.Context) ([]string, error) { return nil, nil },
	}
}

// loadContract takes the description that the API itself serves.
func (b *bench) loadContract() {
	b.Helper()
	served := httptest.NewRecorder()
	b.api.ServeHTTP(served, httptest.NewRequest(http.MethodGet, "/openapi.yaml", nil))
	text := served.Body.String()
	if known, ok := contracts.Load(text); ok {
		b.router, _ = known.(routers.Router)
		return
	}
	doc, err := openapi3.NewLoader().LoadFromData([]byte(text))
	if err != nil {
		b.Fatal(err)
	}
	doc.Servers = nil // any host
	if b.router, err = legacy.NewRouter(doc); err != nil {
		b.Fatal(err)
	}
	contracts.Store(text, b.router)
}

// contracts are the routers of descriptions that a test has seen; to read one
// takes longer than most tests.
var contracts sync.Map

// secrets are the values that no log may hold: keys, passwords, the examples'
// tokens and what the card numbers and MACs of the examples are.
func secrets() []string {
	all := []string{appKey, termKey, secret}
	for _, name := range []string{"Tac", "CardNo", "ASN", "Mac1", "AccountNo", "PassWord", "NewPass"} {
		f, _ := contract.Lookup(name)
		all = append(all, f.Example)
	}
	return all
}

func (b *bench) checkLog() {
	text := b.log.String()
	for _, s := range secrets() {
		if strings.Contains(text, s) {
			b.Errorf("the log holds %q:\n%s", s, text)
		}
	}
}

// fields are a request under construction.
type fields map[string]string

// valid is a request to path with the examples of its fields, signed.
func valid(path string, changes ...string) fields {
	f := fields{}
	for _, e := range contract.Endpoints() {
		if e.Path != path {
			continue
		}
		for _, name := range e.Request {
			field, _ := contract.Lookup(name)
			f[name] = field.Example
		}
	}
	if len(f) == 0 {
		panic("no endpoint " + path)
	}
	for i := 0; i < len(changes); i += 2 {
		f[changes[i]] = changes[i+1]
	}
	return f.signed(appKey)
}

// signed puts the token of the other fields in.
func (f fields) signed(key string) fields {
	delete(f, "Token")
	made, err := token.Make(token.Pair, token.UTF8, f.object(), key)
	if err != nil {
		panic(err)
	}
	f["Token"] = made
	return f
}

func (f fields) object() flat.Object {
	object, err := flat.Parse([]byte(f.json()), flat.Aliases(contract.Aliases()))
	if err != nil {
		panic(err)
	}
	return object
}

func (f fields) json() string {
	text, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// An answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
	fields map[string]string
}

func (a answer) code() string { return a.fields["ErrorCode"] }

// send posts a body, and holds the answer against the contract.
func (b *bench) send(path, body string, header ...string) answer {
	b.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return b.do(r)
}

// ask sends fields. If they succeed, the request too must be one of the
// contract.
func (b *bench) ask(path string, f fields, header ...string) answer {
	b.Helper()
	a := b.send(path, f.json(), header...)
	if strings.Trim(a.code(), "0") == "" {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(f.json()))
		r.Header.Set("Content-Type", "application/json")
		if err := openapi3filter.ValidateRequest(context.Background(), b.route(r)); err != nil {
			b.Errorf("%s succeeded with a request that the contract does not have: %v", path, err)
		}
	}
	return a
}

func (b *bench) do(r *http.Request) answer {
	b.Helper()
	w := httptest.NewRecorder()
	b.api.ServeHTTP(w, r)
	a := answer{status: w.Code, header: w.Header(), body: w.Body.String()}
	if err := json.Unmarshal(w.Body.Bytes(), &a.fields); err != nil {
		b.Fatalf("%s answered %q: %v", r.URL.Path, a.body, err)
	}
	if _, _, err := b.router.FindRoute(r); err != nil {
		return a // not a path of the contract
	}
	err := openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: b.route(r), Status: a.status, Header: a.header,
		Body:    io.NopCloser(strings.NewReader(a.body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
	if err != nil {
		b.Errorf("%s answered what the contract does not have: %v", r.URL.Path, err)
	}
	return a
}

func (b *bench) route(r *http.Request) *openapi3filter.RequestValidationInput {
	b.Helper()
	route, parameters, err := b.router.FindRoute(r)
	if err != nil {
		b.Fatal(err)
	}
	return &openapi3filter.RequestValidationInput{Request: r, Route: route, PathParams: parameters}
}

// service records what it is asked, and answers what it is told to.
type service struct {
	mu    sync.Mutex
	asked []any
	err   error
	wait  chan struct{} // if set, a call waits for it
	panic bool
	seen  error // of the context of the last call
}

func (s *service) take(ctx context.Context, q any) error {
	s.mu.Lock()
	s.asked, s.seen = append(s.asked, q), ctx.Err()
	wait, fails := s.wait, s.panic
	s.mu.Unlock()
	if fails {
		panic("a value with 1234567890123456 in it")
	}
	if wait != nil {
		select {
		case <-wait:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return s.err
}

func (s *service) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

// A lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}
