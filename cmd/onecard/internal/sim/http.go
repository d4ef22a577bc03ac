package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"pbochsm/mac/cardtest"
)

// A problem is the answer of /_sim to what it cannot do.
type problem struct {
	Error string `json:"error"`
}

// decode reads one JSON object without unknown members; no body is an empty
// one.
func decode(r *http.Request, to any) error {
	d := json.NewDecoder(io.LimitReader(r.Body, 64<<10))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %w", ErrRequest, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: more than one JSON value", ErrRequest)
	}
	return nil
}

// answering makes a handler of a function that gives what to show, or why
// not.
func answering(f func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := f(r)
		status := http.StatusOK
		if err != nil {
			v, status = problem{err.Error()}, statusOf(err)
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		_ = e.Encode(v) // a client that has gone misses it
	}
}

func statusOf(err error) int {
	var card cardtest.Status
	switch {
	case errors.Is(err, ErrNoCard), errors.Is(err, ErrNotFound):
		return http.StatusNotFound
	case errors.Is(err, ErrRequest), errors.Is(err, ErrCardNo), errors.Is(err, ErrNoKind):
		return http.StatusBadRequest
	case errors.Is(err, ErrTwice), errors.As(err, &card), errors.Is(err, cardtest.ErrTorn):
		return http.StatusConflict
	}
	return http.StatusInternalServerError
}
