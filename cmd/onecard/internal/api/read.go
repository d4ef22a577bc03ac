package api

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"

	"pbochsm/cmd/onecard/internal/api/flat"
	"pbochsm/cmd/onecard/internal/recharge"
)

// bodies are buffers that a body and one byte more fit into.
var bodies = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, flat.MaxBody+1)) }}

// accepts looks at what HTTP says about a request before its body is read.
func accepts(r *http.Request) *refusal {
	wrong := func(status int) *refusal { return &refusal{code: recharge.BadMethod, status: status} }
	switch {
	case r.Method != http.MethodPost:
		return wrong(http.StatusMethodNotAllowed)
	case r.URL.RawQuery != "":
		return wrong(http.StatusNotFound) // no token covers it
	case !isJSON(r.Header.Values("Content-Type")) || r.Header.Get("Content-Encoding") != "":
		return wrong(http.StatusUnsupportedMediaType)
	case r.ContentLength > flat.MaxBody:
		return wrong(http.StatusRequestEntityTooLarge)
	}
	return nil
}

// isJSON accepts application/json, in UTF-8 if it says in what.
func isJSON(types []string) bool {
	if len(types) != 1 {
		return false
	}
	media, parameters, err := mime.ParseMediaType(types[0])
	if err != nil || media != "application/json" {
		return false
	}
	charset, given := parameters["charset"]
	return !given || strings.EqualFold(charset, "utf-8")
}

// read takes the body, hands it to use, and clears it: it may hold passwords.
func read(r *http.Request, use func(body []byte) *refusal) *refusal {
	buffer, _ := bodies.Get().(*bytes.Buffer)
	defer func() {
		clear(buffer.Bytes())
		buffer.Reset()
		bodies.Put(buffer)
	}()
	_, err := io.Copy(buffer, io.LimitReader(r.Body, flat.MaxBody+1))
	switch {
	case buffer.Len() > flat.MaxBody:
		return &refusal{code: recharge.BadMethod, status: http.StatusRequestEntityTooLarge}
	case err != nil:
		return &refusal{code: recharge.BadBody, cause: errCut}
	}
	return use(buffer.Bytes())
}

// errCut is a body that did not arrive, or not in time.
var errCut = errors.New("api: body was cut off")
