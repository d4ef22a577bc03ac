package swaggerui_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pbochsm/cmd/onecard/internal/api/swaggerui"
)

// The embedded files are the ones that were published.
func TestFilesAreThePublishedOnes(t *testing.T) {
	for name, want := range map[string]string{ // sha256sum of the files in swagger-ui-dist 5.35.0
		"swagger-ui-bundle.js": "e6a898692f2d768e807c3ba4626068a69a2c5dd960dd6c76f3e4d3a3de180af2",
		"swagger-ui.css":       "5ed08757e53da3e026d6cbecc61fe5d43585c9560b302d534ad56692519a273d",
	} {
		w := get(t, http.MethodGet, "/docs/"+name, "")
		if got := fmt.Sprintf("%x", sha256.Sum256(w.Body.Bytes())); got != want {
			t.Errorf("%s has the SHA-256 %s, want %s", name, got, want)
		}
	}
}

func TestServing(t *testing.T) {
	for _, c := range []struct {
		method, path, accept, contentType, encoding string
		status                                      int
	}{
		{"GET", "/docs/", "", "text/html; charset=utf-8", "", 200},
		{"GET", "/docs/index.html", "gzip", "text/html; charset=utf-8", "", 200},
		{"HEAD", "/docs/page.js", "", "text/javascript; charset=utf-8", "", 200},
		{"GET", "/docs/swagger-ui.css", "gzip, br", "text/css; charset=utf-8", "gzip", 200},
		{"GET", "/docs/swagger-ui.css", "", "text/css; charset=utf-8", "", 200},
		{"GET", "/docs/favicon-32x32.png", "", "image/png", "", 200},
		{"GET", "/docs/settings.json", "", "application/json", "", 200},
		{"GET", "/docs/LICENSE", "", "text/plain; charset=utf-8", "", 404},
		{"GET", "/docs/../swaggerui.go", "", "text/plain; charset=utf-8", "", 404},
		{"POST", "/docs/", "", "text/plain; charset=utf-8", "", 405},
	} {
		w := get(t, c.method, c.path, c.accept)
		if w.Code != c.status || w.Header().Get("Content-Type") != c.contentType || w.Header().Get("Content-Encoding") != c.encoding {
			t.Errorf("%s %s: %d %v", c.method, c.path, w.Code, w.Header())
		}
		if c.encoding == "gzip" && !bytes.HasPrefix(w.Body.Bytes(), []byte{0x1F, 0x8B}) {
			t.Errorf("%s is not compressed", c.path)
		}
		if c.status == 200 && !strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'self';") {
			t.Errorf("%s has the policy %q", c.path, w.Header().Get("Content-Security-Policy"))
		}
	}
}

func get(t *testing.T, method, path, accept string) *httptest.ResponseRecorder {
	t.Helper()
	h, err := swaggerui.Handler("/docs/", "/sign")
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Accept-Encoding", accept)
	h.ServeHTTP(w, r)
	return w
}
