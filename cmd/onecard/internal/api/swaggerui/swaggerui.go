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

// A page is one file in the form in which it is sent, and plain where it is
// sent compressed.
type page struct{ sent, plain []byte }

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
		p := page{sent: text}
		if compressed {
			p.plain, err = expand(text)
		}
		pages[plain] = p
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("swaggerui: %w", err)
	}
	settings, err := json.Marshal(map[string]string{"sign": signer})
	if err != nil {
		return nil, fmt.Errorf("swaggerui: settings: %w", err)
	}
	pages["settings.json"] = page{sent: settings}
	pages[""] = pages["index.html"]
	return &server{prefix, pages}, nil
}

func expand(compressed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
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
	text := p.sent
	if p.plain != nil {
		w.Header().Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
		} else {
			text = p.plain
		}
	}
	w.Header().Set("Content-Type", types[path.Ext(name)])
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(text) // the reader may leave
}
