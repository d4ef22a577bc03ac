//go:build cgo && !nopkcs11 && !windows

package pkcs11

import (
	"context"
	"sync"

	"github.com/miekg/pkcs11"
)

// A Token is an open token with a login. It is safe for concurrent use; calls
// wait for each other.
type Token struct {
	cfg  Config
	path string
	lib  *library

	mu     sync.Mutex
	m      *module // nil: closed, or not to be opened
	closed bool
}

// Open loads the module, finds the token and logs in. The module serves one
// Token of a process at a time.
func Open(ctx context.Context, cfg Config) (*Token, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	path, err := claim(cfg.Module)
	if err != nil {
		return nil, err
	}
	t := &Token{cfg: cfg, path: path}
	if t.lib, err = loadLibrary(path, t.cfg.Workers); err == nil {
		t.m, err = openModule(&t.cfg, path)
	}
	if err != nil {
		disclaim(path)
		return nil, err
	}
	return t, nil
}

// Close logs out and finalizes the module.
func (t *Token) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	t.closed = true
	defer disclaim(t.path)
	return t.shut()
}

func (t *Token) shut() error {
	if t.m == nil {
		return nil
	}
	m := t.m
	t.m = nil
	defer trim()
	return m.close()
}

// reopen initializes the module afresh and logs in. Nobody may be inside a call.
func (t *Token) reopen() (err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return errClosed
	}
	_ = t.shut() // of a token that may be gone
	t.m, err = openModule(&t.cfg, t.path)
	return err
}

// login logs in again where the login was lost.
func (t *Token) login() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.m == nil {
		return errClosed
	}
	return t.m.login(&t.cfg)
}

// do calls f with the session that holds the login.
func (t *Token) do(f func(c *pkcs11.Ctx, s pkcs11.SessionHandle) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.m == nil {
		return errClosed
	}
	return f(t.m.low, t.m.keeper)
}
