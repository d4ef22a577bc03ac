package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"

	"pbochsm/cmd/onecard/internal/api/contract"
	"pbochsm/cmd/onecard/internal/api/swaggerui"
)

// Paths of pages with more below them.
const (
	docsPath    = "/docs/"
	sandboxPath = "/_sim/"
	signPath    = sandboxPath + "sign"
)

// readyTimeout is how long readyz waits for the security module and the
// ledger.
const readyTimeout = 2 * time.Second

// pages are what else is served, by path.
func (a *API) pages() (map[string]http.Handler, error) {
	d := contract.Description{Rules: a.Rules, Profile: a.Profile}
	for i := range a.Domains {
		d.Domains = append(d.Domains, a.Domains[i].Code)
	}
	description, err := d.OpenAPI()
	if err != nil {
		return nil, err
	}
	v3, v2, err := convert(description)
	if err != nil {
		return nil, fmt.Errorf("api: OpenAPI: %w", err)
	}
	signer := ""
	if a.Sandbox != nil {
		signer = signPath
	}
	docs, err := swaggerui.Handler(docsPath, signer)
	if err != nil {
		return nil, err
	}
	return map[string]http.Handler{
		docsPath:        docs,
		"/docs":         http.RedirectHandler(docsPath, http.StatusMovedPermanently),
		"/openapi.yaml": static("application/yaml", description),
		"/openapi.json": static("application/json", v3),
		"/swagger.json": static("application/json", v2),
		"/healthz":      static("text/plain; charset=utf-8", []byte("ok\n")),
		"/readyz":       http.HandlerFunc(a.ready),
		"/metrics":      a.counters.page,
	}, nil
}

// Probes serves healthz, readyz and metrics alone, for an address of their own.
func (a *API) Probes() http.Handler {
	mux := http.NewServeMux()
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		mux.Handle(path, a.others[path])
	}
	return mux
}

// convert gives the description as JSON, in version 3 and in version 2, in
// which the document was.
func convert(description []byte) (v3, v2 []byte, err error) {
	doc, err := openapi3.NewLoader().LoadFromData(description)
	if err != nil {
		return nil, nil, err
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, nil, err
	}
	old, err := openapi2conv.FromV3(doc)
	if err != nil {
		return nil, nil, err
	}
	if v3, err = json.MarshalIndent(doc, "", " "); err != nil {
		return nil, nil, err
	}
	v2, err = json.MarshalIndent(old, "", " ")
	return v3, v2, err
}

// other finds what else is served at a path, or nil.
func (a *API) other(path string) http.Handler {
	if a.HideMetrics && path == "/metrics" {
		return nil
	}
	if h, ok := a.others[path]; ok {
		return h
	}
	switch {
	case strings.HasPrefix(path, docsPath):
		return a.others[docsPath]
	case strings.HasPrefix(path, sandboxPath):
		return a.Sandbox
	}
	return nil
}

// static serves bytes to who gets them.
func static(contentType string, text []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "no-cache")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
	})
}

// ready tells whether requests can be carried out now, and how the tokens are. What is missing is told
// by the log; here it would tell strangers.
func (a *API) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	w.Header().Set("Cache-Control", "no-store")
	if a.draining.Load() {
		http.Error(w, "draining", http.StatusServiceUnavailable)
		return
	}
	more, err := a.Ready(ctx)
	if err != nil {
		a.Log.WarnContext(ctx, "not ready", "cause", err)
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, strings.Join(append([]string{"ready"}, more...), "\n")+"\n")
}
