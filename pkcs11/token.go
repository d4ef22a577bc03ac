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

	mu sync.Mutex
	m  *module // nil: closed
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
	if t.lib, err = loadLibrary(path); err == nil {
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
	if t.m == nil {
		return nil
	}
	err := t.m.close()
	t.m = nil
	disclaim(t.path)
	return err
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
