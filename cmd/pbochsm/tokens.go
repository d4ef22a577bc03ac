package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/pkcs11"
	"pbochsm/protocol"
)

// servedTokens are the tokens that a daemon computes in, by name.
type servedTokens map[string]*pkcs11.Backend

// openTokens opens every token of the settings, and proves each by the known
// answers. One that does not open keeps the daemon from starting: it is more
// likely misconfigured than gone for a moment.
func openTokens(ctx context.Context, cfg *config, log *slog.Logger) (servedTokens, error) {
	tokens := servedTokens{}
	if err := pkcs11.Built(); err != nil && len(cfg.Tokens) > 0 {
		return nil, fmt.Errorf("token %q: %w", cfg.Tokens[0].Name, err)
	}
	for i := range cfg.Tokens {
		t := &cfg.Tokens[i]
		b, err := openToken(ctx, t, log.With("token", t.Name))
		if err != nil {
			tokens.close()
			return nil, tokenHint(fmt.Errorf("token %q: %w", t.Name, err))
		}
		tokens[t.Name] = b
	}
	return tokens, nil
}

func openToken(ctx context.Context, t *tokenConfig, log *slog.Logger) (*pkcs11.Backend, error) {
	settings, err := t.settings(log)
	if err != nil {
		return nil, err
	}
	path, err := pinFile(t.PINSource)
	if err != nil {
		return nil, err
	}
	if othersMayRead(path) {
		log.Warn("the PIN can be read by others than its owner", "file", path)
	}
	settings.PIN = filePIN(path)
	b, err := pkcs11.Serve(ctx, settings)
	if err != nil {
		return nil, err
	}
	s, level := b.Status(), slog.LevelInfo
	if s.TAC == pkcs11.WayNone {
		level = slog.LevelWarn
	}
	log.Log(ctx, level, "token open", "module", t.Module, "profile", settings.Profile.Name, "workers", s.Workers,
		"tac", s.TAC.String(), "exposes", s.TAC.Exposes(), "grey lock", s.GreyLock, "scripts", s.Scripts)
	return b, nil
}

// check finds every key of a snapshot that lives in a token, where it should be
// and as it should be.
func (t servedTokens) check(ctx context.Context, keys *keystore.Snapshot) error {
	var found problems
	for i := range keys.Keys() {
		k := keys.Key(keystore.Handle(i))
		if _, ok := t[k.Home.Token]; k.Home.InToken() && k.State == keystore.StateActive && !ok {
			found = append(found, fmt.Errorf("key %s lives in token %q, which the settings do not have", k.Ref, k.Home.Token))
		}
	}
	for name, b := range t {
		if err := b.Check(ctx, keys); err != nil {
			found = append(found, fmt.Errorf("token %q: %w", name, err))
		}
	}
	if found == nil {
		return nil
	}
	return found
}

// problems are errors that are told on one line.
type problems []error

func (p problems) Error() string {
	var all []string
	for _, err := range p {
		all = append(all, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return strings.Join(all, "; ")
}

// Unwrap gives each of them.
func (p problems) Unwrap() []error { return p }

// homes puts the tokens beside the backend of the keys in the file.
func (t servedTokens) homes(file mac.Backend) mac.Backend {
	if len(t) == 0 {
		return file
	}
	h := &mac.Homes{File: file, Tokens: map[string]mac.Backend{}}
	for name, b := range t {
		h.Tokens[name] = b
	}
	return h
}

// states tells how the tokens are, by rising name.
func (t servedTokens) states() (list []protocol.TokenState) {
	for _, name := range slices.Sorted(maps.Keys(t)) {
		s := t[name].Status()
		list = append(list, protocol.TokenState{Name: name, Serving: s.Serving(), TAC: s.TAC.String()})
	}
	return list
}

func (t servedTokens) close() {
	for _, b := range t {
		_ = b.Close()
	}
}
