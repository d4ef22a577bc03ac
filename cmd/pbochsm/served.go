package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/urfave/cli/v2"

	"pbochsm/keystore"
)

// served are the keys that a daemon serves, and the store they come from; the
// published test keys come from none.
type served struct {
	live  *keystore.Live
	store *keystore.Store

	tokens servedTokens
}

func openServed(c *cli.Context, cfg *config, log *slog.Logger, tokens servedTokens) (*served, error) {
	if cfg.dev {
		live, err := testKeys()
		if err != nil {
			return nil, err
		}
		log.Warn("SERVING PUBLISHED TEST KEYS: anybody can make money with them; never use them for cards in the field")
		return &served{live: live}, nil
	}
	store, err := openStoreAt(c, cfg.Data, cfg.PassphraseFile, keystore.Options{MinEpoch: cfg.MinEpoch, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	snapshot, err := store.Snapshot()
	if err != nil {
		return nil, err
	}
	if err := tokens.check(c.Context, snapshot); err != nil {
		snapshot.Release()
		return nil, errors.Join(tokenHint(err), store.Close())
	}
	tellKeys(log, "keystore open", snapshot)
	return &served{live: keystore.NewLive(snapshot), store: store, tokens: tokens}, nil
}

// tellKeys logs what is being served; any but a production store is worth a warning.
func tellKeys(log *slog.Logger, event string, s *keystore.Snapshot) {
	level := slog.LevelInfo
	if s.Mode() != keystore.ModeProduction {
		level = slog.LevelWarn
	}
	log.Log(context.Background(), level, event, "mode", s.Mode().String(), "epoch", s.Epoch(), "keys", len(s.Keys()), "locked", s.Locked())
}

// reload takes up a changed file. If it cannot, the old keys go on serving.
func (k *served) reload(log *slog.Logger) {
	if k.store == nil {
		log.Info("nothing to reload: the published test keys are part of the program")
		return
	}
	err := k.store.ReloadIf(k.live, func(s *keystore.Snapshot) error { return k.tokens.check(context.Background(), s) })
	if err != nil {
		log.Error("keystore not reloaded, the old keys go on serving", "error", err)
		return
	}
	snapshot := k.live.Acquire()
	defer snapshot.Release()
	tellKeys(log, "keystore reloaded", snapshot)
}

func (k *served) close() {
	if k.store != nil {
		_ = k.store.Close()
	}
}
