package main

import (
	"errors"
	"io/fs"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/keystore"
)

// openStore opens the keystore that the flags choose with the pass-phrase of the
// caller's choice. The caller must Close it.
func openStore(c *cli.Context, o keystore.Options) (*keystore.Store, error) {
	cfg, err := storeConfig(c)
	if err != nil {
		return nil, err
	}
	return openStoreAt(c, cfg.Data, cfg.PassphraseFile, o)
}

// storeConfig gives where the keystore and its pass-phrase are: flags win over
// the daemon's settings.
func storeConfig(c *cli.Context) (cfg config, err error) {
	if name := c.String("config"); name != "" {
		if err := cfg.readFile(name); err != nil {
			return cfg, err
		}
	}
	cfg.Data, cfg.PassphraseFile = or(c.String("data"), cfg.Data), or(c.String("passphrase-file"), cfg.PassphraseFile)
	return cfg, nil
}

func openStoreAt(c *cli.Context, dir, passphraseFile string, o keystore.Options) (*keystore.Store, error) {
	if dir == "" {
		return nil, cmdline.Usagef("--data is missing")
	}
	passphrase, err := readPassphrase(c, passphraseFile, "pass-phrase: ")
	if err != nil {
		return nil, err
	}
	store, err := keystore.Open(dir, passphrase, o)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, cmdline.Hint(err, "make a keystore with: pbochsm init --data %s", dir)
	case errors.Is(err, keystore.ErrExposed):
		return nil, cmdline.Hint(err, "give the files in %s to their owner alone: chmod go= %s/*", dir, dir)
	case errors.Is(err, keystore.ErrLocked):
		return nil, cmdline.Hint(err, "wait for it, or look for a ceremony that was left open")
	}
	return store, err
}

// changeStore opens the keystore for a change and saves what change left
// behind, or nothing if it failed.
func changeStore(c *cli.Context, change func(*keystore.Store) error) (err error) {
	store, err := openStore(c, keystore.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := change(store); err != nil {
		return err
	}
	return store.Save(random)
}
