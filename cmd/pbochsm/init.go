package main

import (
	"crypto/rand"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/keystore"
)

// random is the program's source of randomness; packages below take it as an
// argument.
var random = rand.Reader

// shortPassphrase is the length below which a store that is not for tests warns.
const shortPassphrase = 12

func initCommand() *cli.Command {
	return &cli.Command{
		Name:  "init",
		Usage: "make an empty keystore",
		Flags: []cli.Flag{
			dataFlag(),
			passphraseFlag(),
			&cli.StringFlag{Name: "mode", Value: "production", Usage: "test, which takes published and weak keys with a warning, production, or migration, which is production with raw keys; it cannot be changed later"},
		},
		Action: initialize,
	}
}

func initialize(c *cli.Context) error {
	dir := c.String("data")
	if dir == "" {
		return cmdline.Usagef("--data is missing")
	}
	var mode keystore.Mode
	if err := mode.UnmarshalText([]byte(c.String("mode"))); err != nil {
		return cmdline.Usage(err)
	}
	passphrase, err := newPassphrase(c, c.String("passphrase-file"))
	if err != nil {
		return err
	}
	if mode.Strict() && len(passphrase) < shortPassphrase {
		warn(c, "a pass-phrase of %d characters will not hold against whoever has the file", len(passphrase))
	}
	store, err := keystore.Create(random, dir, passphrase, mode)
	if err != nil {
		return err
	}
	return store.Close()
}

func passphraseCommand() *cli.Command {
	return &cli.Command{
		Name:  "passphrase",
		Usage: "change the pass-phrase of a keystore",
		Flags: append(storeFlags(),
			&cli.StringFlag{Name: "new-passphrase-file", TakesFile: true, Usage: "file with the new pass-phrase in its first line; otherwise a terminal is asked"},
		),
		Action: func(c *cli.Context) error {
			return changeStore(c, func(store *keystore.Store) error {
				passphrase, err := newPassphrase(c, c.String("new-passphrase-file"))
				if err != nil {
					return err
				}
				return store.ChangePassphrase(random, passphrase)
			})
		},
	}
}
