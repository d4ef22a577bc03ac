package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// A simClient is a terminal, an app and an operator in one, at a sandbox.
type simClient struct {
	base string
	http *http.Client
}

func newSimClient(base string) *simClient {
	return &simClient{base: base, http: &http.Client{Timeout: 30 * time.Second}}
}

// A refusedError is an ErrorCode of the API that is not success.
type refusedError struct{ path, code, text string }

func (e *refusedError) Error() string { return fmt.Sprintf("%s: %s %s", e.path, e.code, e.text) }

// errSandbox is a problem that /_sim told.
var errSandbox = errors.New("sandbox")

// find looks for a sandbox at the address.
func (c *simClient) find(ctx context.Context) error {
	var cards []map[string]string
	if err := c.ask(ctx, http.MethodGet, "/_sim/cards", nil, &cards); err != nil {
		return fmt.Errorf("no sandbox answers at %s: %w", c.base, err)
	}
	return nil
}

// sim asks something of /_sim, with a body by POST, else by GET.
func (c *simClient) sim(ctx context.Context, path string, body, answer any) error {
	if body == nil {
		return c.ask(ctx, http.MethodGet, "/_sim/"+path, nil, answer)
	}
	return c.ask(ctx, http.MethodPost, "/_sim/"+path, body, answer)
}

// call has the sandbox sign the fields and sends them to the API.
func (c *simClient) call(ctx context.Context, domain, path string, fields ...map[string]string) (map[string]string, error) {
	body := map[string]string{"OrigionDomain": domain}
	for _, f := range fields {
		for name, value := range f {
			body[name] = value
		}
	}
	var signed, answer map[string]string
	if err := c.sim(ctx, "sign", map[string]any{"path": path, "body": body}, &signed); err != nil {
		return nil, err
	}
	body["Token"] = signed["Token"]
	if err := c.ask(ctx, http.MethodPost, path, body, &answer); err != nil {
		return nil, err
	}
	if code := answer["ErrorCode"]; code != "0000" {
		return nil, &refusedError{path, code, answer["ErrorMsg"]}
	}
	return answer, nil
}

func (c *simClient) ask(ctx context.Context, method, path string, body, answer any) error {
	var text bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&text).Encode(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, &text)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	r, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	content, err := io.ReadAll(io.LimitReader(r.Body, 16<<20))
	if err != nil {
		return err
	}
	var p struct {
		Error     string `json:"error"`
		ErrorCode string
	}
	if r.StatusCode != http.StatusOK && (json.Unmarshal(content, &p) != nil || p.ErrorCode == "") {
		return fmt.Errorf("%w: %s: %s %s", errSandbox, path, r.Status, p.Error)
	}
	if err := json.Unmarshal(content, answer); err != nil {
		return fmt.Errorf("%s: answer of %d bytes is not understood: %w", path, len(content), err)
	}
	return nil
}
