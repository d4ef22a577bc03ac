package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi3"

	"pbochsm/cmd/onecard/internal/api"
	"pbochsm/cmd/onecard/internal/api/contract"
)

func (b *bench) get(path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.api.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// All three forms of the description have every endpoint under its spellings.
func TestDescriptions(t *testing.T) {
	b := newBench(t, nil)
	v3, err := openapi3.NewLoader().LoadFromData(b.get("/openapi.json").Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := v3.Validate(context.Background()); err != nil {
		t.Error(err)
	}
	var v2 openapi2.T
	if err := json.Unmarshal(b.get("/swagger.json").Body.Bytes(), &v2); err != nil {
		t.Fatal(err)
	}
	if v2.Swagger != "2.0" {
		t.Errorf("swagger %q", v2.Swagger)
	}
	for _, e := range contract.Endpoints() {
		post3, post2 := v3.Paths.Value(e.Path).Post, v2.Paths[e.Path].Post
		if post3.OperationID != e.Operation || post2.OperationID != e.Operation {
			t.Errorf("%s is %s and %s", e.Path, post3.OperationID, post2.OperationID)
		}
		schema3 := post3.RequestBody.Value.Content.Get("application/json").Schema.Value
		schema2 := post2.Parameters[0].Schema.Value
		for _, name := range e.Request {
			if schema3.Properties[name] == nil || schema2.Properties[name] == nil {
				t.Errorf("%s: %s is missing", e.Path, name)
			}
		}
		if len(schema3.Properties) != len(e.Request) || len(schema2.Properties) != len(e.Request) {
			t.Errorf("%s has other names than those", e.Path)
		}
		for _, name := range append([]string{"ErrorCode", "ErrorMsg"}, e.Answer...) {
			if post2.Responses.Value("200").Schema.Value.Properties[name] == nil {
				t.Errorf("%s: the answer in version 2 has no %s", e.Path, name)
			}
		}
	}
	enum := v3.Components.Schemas["OrigionDomain"].Value.Enum
	if len(enum) != 2 || enum[0] != "APPM" {
		t.Errorf("domains %v", enum)
	}
}

func TestProbes(t *testing.T) {
	var more []string
	fails := error(nil)
	b := newBench(t, func(o *api.Options) { o.Ready = func(context.Context) ([]string, error) { return more, fails } })
	if w := b.get("/healthz"); w.Code != 200 || w.Body.String() != "ok\n" {
		t.Errorf("healthz: %d %q", w.Code, w.Body)
	}
	if w := b.get("/readyz"); w.Code != 200 || w.Body.String() != "ready\n" {
		t.Errorf("readyz: %d %q", w.Code, w.Body)
	}
	more = []string{"token main serves"}
	if w := b.get("/readyz"); w.Code != 200 || w.Body.String() != "ready\ntoken main serves\n" {
		t.Errorf("readyz with a token: %d %q", w.Code, w.Body)
	}
	fails = errors.New("the reason")
	if w := b.get("/readyz"); w.Code != 503 || strings.Contains(w.Body.String(), "reason") {
		t.Errorf("readyz without the ledger: %d %q", w.Code, w.Body)
	}
	if !strings.Contains(b.log.String(), "the reason") {
		t.Error("the log does not tell why")
	}
	if w := b.get("/healthz"); w.Code != 200 {
		t.Errorf("healthz without the ledger: %d", w.Code)
	}
}

func TestMetrics(t *testing.T) {
	b := newBench(t, nil)
	b.ask(alverify, valid(alverify))
	b.send("/no/such/path", "{}")
	b.send(alverify, "{")
	text := b.get("/metrics").Body.String()
	for _, want := range []string{
		`onecard_requests_total{code="0000",domain="APPM",path="/tuxedo/alverify"} 1`,
		`onecard_requests_total{code="1001",domain="",path="/tuxedo/alverify"} 1`,
		`onecard_requests_total{code="1006",domain="",path="other"} 1`,
		`onecard_request_seconds_count{path="/tuxedo/alverify"} 2`,
		`onecard_requests_in_flight 0`,
		`onecard_panics_total 0`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no line %s in\n%s", want, text)
		}
	}
	hidden := newBench(t, func(o *api.Options) { o.HideMetrics = true })
	if w := hidden.get("/metrics"); w.Code != 404 {
		t.Errorf("hidden metrics: %d", w.Code)
	}
	w := httptest.NewRecorder()
	hidden.api.Probes().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != 200 {
		t.Errorf("metrics at their own address: %d", w.Code)
	}
}

func TestRequestIDs(t *testing.T) {
	b := newBench(t, nil)
	made := regexp.MustCompile(`^[0-9a-f]{16}$`)
	for sent, kept := range map[string]bool{
		"a-1_b.2": true, "": false, "two words": false, "line\nbreak": false, strings.Repeat("x", 65): false, "充": false,
	} {
		a := b.ask(alverify, valid(alverify), "X-Request-Id", sent)
		got := a.header.Get("X-Request-Id")
		if kept && got != sent || !kept && !made.MatchString(got) {
			t.Errorf("X-Request-Id %q came back as %q", sent, got)
		}
		if !strings.Contains(b.log.String(), `"id":"`+got+`"`) {
			t.Errorf("the log has no line with %q", got)
		}
	}
}

// The log tells who asked for what and what came out.
func TestLog(t *testing.T) {
	b := newBench(t, nil)
	b.ask(alverify, valid(alverify, "CarNo", "123"), "X-Request-Id", "one")
	var line map[string]any
	if err := json.Unmarshal([]byte(b.log.String()), &line); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"msg": "request", "id": "one", "path": alverify, "domain": "APPM", "code": "1003", "status": 200.0,
		"field": "CarNo", "source": "192.0.2.1", "level": "INFO",
	} {
		if line[name] != want {
			t.Errorf("%s is %v, want %v", name, line[name], want)
		}
	}
}

// The sandbox is there when it is given, and nowhere else.
func TestSandbox(t *testing.T) {
	b := newBench(t, func(o *api.Options) {
		o.Sandbox = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "sim "+r.URL.Path) })
		o.AfterToken = func(_ context.Context, path string) error {
			if path == alverify {
				return errors.New("told to")
			}
			return nil
		}
	})
	if w := b.get("/_sim/cards"); w.Body.String() != "sim /_sim/cards" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := b.get("/docs/settings.json"); w.Body.String() != `{"sign":"/_sim/sign"}` {
		t.Errorf("settings with a sandbox: %s", w.Body)
	}
	if a := b.ask(alverify, valid(alverify)); a.code() != "9001" || b.service.calls() != 0 {
		t.Errorf("a fault after the token: %s", a.body)
	}
	if a := b.ask("/tuxedo/now", valid("/tuxedo/now")); a.code() != "0000" {
		t.Errorf("no fault: %s", a.body)
	}
	without := newBench(t, nil)
	if w := without.get("/docs/settings.json"); w.Body.String() != `{"sign":""}` {
		t.Errorf("settings without a sandbox: %s", w.Body)
	}
	if w := without.get("/_sim/cards"); w.Code != 404 {
		t.Errorf("a sandbox that is not there: %d", w.Code)
	}
}
