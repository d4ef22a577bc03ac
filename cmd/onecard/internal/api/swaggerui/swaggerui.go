package swaggerui

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed index.html page.css page.js dist
var files embed.FS

// policy lets the page load from this server alone. Swagger UI writes styles
// into its elements and draws its icons from data URLs.
const policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// types are the content types of what is served, by extension.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".png":  "image/png",
	".json": "application/json",
}

// A page is one file, compressed by gzip or not.
type page struct {
	text       []byte
	compressed bool
}

// Handler serves the pages under prefix, as in "/docs/". signer is the path
// that signs requests, or "" where nothing does.
func Handler(prefix, signer string) (http.Handler, error) {
	pages := map[string]page{}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		plain, compressed := strings.CutSuffix(path.Base(name), ".gz")
		if types[path.Ext(plain)] == "" {
			return nil // a licence
		}
		pages[plain] = page{text, compressed}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("swaggerui: %w", err)
	}
	settings, err := json.Marshal(map[string]string{"sign": signer})
	if err != nil {
		return nil, fmt.Errorf("swaggerui: settings: %w", err)
	}
	pages["settings.json"] = page{text: settings}
	pages[""] = pages["index.html"]
	return &server{prefix, pages}, nil
}

type server struct {
	prefix string
	pages  map[string]page
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, s.prefix)
	p, ok := s.pages[name]
	switch {
	case !ok:
		http.NotFound(w, r)
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	case name == "":
		name = "index.html"
	}
	h := w.Header()
	h.Set("Content-Type", types[path.Ext(name)])
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	if p.compressed {
		h.Set("Vary", "Accept-Encoding")
	}
	p.write(w, strings.Contains(r.Header.Get("Accept-Encoding"), "gzip"))
}

// write sends the page, which the reader may leave unread. Whoever does not
// understand gzip gets it expanded.
func (p page) write(w http.ResponseWriter, gzipped bool) {
	if !p.compressed {
		_, _ = w.Write(p.text)
		return
	}
	if gzipped {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(p.text)
		return
	}
	plain, err := gzip.NewReader(bytes.NewReader(p.text))
	if err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	_, _ = io.Copy(w, plain) //nolint:gosec // what is expanded is our own file
}
