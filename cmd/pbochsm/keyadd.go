package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/keystore"
)

// attributeFlags describe a key that is to be added.
func attributeFlags() []cli.Flag {
	return append(identityFlags(),
		&cli.StringFlag{Name: "cipher", Value: "3des", Usage: "block cipher of the key"},
		&cli.UintFlag{Name: "levels", Value: 1, Usage: "diversification levels down to the card's key; 0: it is a card's key, used as it is"},
		&cli.BoolFlag{Name: "pending", Usage: "keep the key out of use until key activate"},
		&cli.BoolFlag{Name: "raw", Usage: "let the SJL05 dialect compute whatever it is asked with the key; not in a production store"},
		&cli.BoolFlag{Name: "export", Usage: "with --raw: let it hand out the keys derived from this one, too"},
	)
}

func keyImportCommand() *cli.Command {
	return &cli.Command{
		Name:  "import",
		Usage: "add a key from components",
		Description: "Components are read from stdin, 32 hex digits each, one a line, and combined by\n" +
			"exclusive-or. A terminal is asked for one after the other, without echo, and shows\n" +
			"the check value of each; an empty line ends the entry. See docs/key-ceremony.md.",
		Flags: append(attributeFlags(),
			&cli.StringFlag{Name: "kcv", Usage: "check value that the combined key must have, 6 hex digits"}),
		Action: keyImport,
	}
}

func keyGenerateCommand() *cli.Command {
	return &cli.Command{
		Name:   "generate",
		Usage:  "add a random key, which nobody will ever see",
		Flags:  attributeFlags(),
		Action: keyGenerate,
	}
}

// readKey reads identity and attributes of a key that is to be added.
func readKey(c *cli.Context) (key keystore.Key, err error) {
	if key.Ref, err = readRef(c); err != nil {
		return key, err
	}
	if err := key.Cipher.UnmarshalText([]byte(c.String("cipher"))); err != nil {
		return key, cmdline.Usage(fmt.Errorf("--cipher: %w", err))
	}
	levels := c.Uint("levels")
	if levels > keystore.MaxLevels {
		return key, cmdline.Usagef("--levels: at most %d", keystore.MaxLevels)
	}
	key.Levels = uint8(levels)
	key.Raw, key.Export = c.Bool("raw"), c.Bool("export")
	if key.Export && !key.Raw {
		return key, cmdline.Usagef("--export is nothing without --raw")
	}
	key.State = keystore.StateActive
	if c.Bool("pending") {
		key.State = keystore.StatePending
	}
	return key, nil
}

func keyImport(c *cli.Context) error {
	key, err := readKey(c)
	if err != nil {
		return err
	}
	var want keystore.KCV
	if c.IsSet("kcv") {
		if err := want.UnmarshalText([]byte(c.String("kcv"))); err != nil {
			return cmdline.Usage(fmt.Errorf("--kcv: %w", err))
		}
	}
	return changeStore(c, func(store *keystore.Store) error {
		components, err := readComponents(c, store, key.Cipher)
		defer clear(components)
		if err != nil {
			return err
		}
		added, warnings, err := store.Import(key, components)
		if err != nil {
			return err
		}
		for _, w := range warnings {
			warn(c, "%s", w)
		}
		if c.IsSet("kcv") && added.KCV != want {
			return fmt.Errorf("check value is %s, not %s: nothing was stored", added.KCV, want)
		}
		return printAdded(c, added)
	})
}

func keyGenerate(c *cli.Context) error {
	key, err := readKey(c)
	if err != nil {
		return err
	}
	return changeStore(c, func(store *keystore.Store) error {
		added, err := store.Generate(random, key)
		if err != nil {
			return err
		}
		return printAdded(c, added)
	})
}

// printAdded prints the check value, which is all that may be seen of a key.
func printAdded(c *cli.Context, key keystore.Key) error {
	_, err := fmt.Fprintln(c.App.Writer, key.KCV)
	return err
}
