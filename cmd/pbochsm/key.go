package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/keystore"
)

func keyCommand() *cli.Command {
	return &cli.Command{
		Name:  "key",
		Usage: "the keys of a keystore",
		Subcommands: []*cli.Command{
			keyImportCommand(),
			keyGenerateCommand(),
			keyListCommand(),
			{
				Name:   "kcv",
				Usage:  "print the check value of a key",
				Flags:  identityFlags(),
				Action: keyCheckValue,
			},
			keyChangeCommand("activate", "put a pending key into use", (*keystore.Store).Activate),
			keyChangeCommand("retire", "take an active key out of use, for good", (*keystore.Store).Retire),
			keyChangeCommand("restrict", "take the rights raw and export from a key, for good", (*keystore.Store).Restrict),
			keyChangeCommand("delete", "remove a pending or retired key", (*keystore.Store).Delete),
		},
	}
}

// identityFlags name one key of one store.
func identityFlags() []cli.Flag {
	return append(storeFlags(),
		&cli.StringFlag{Name: "set", Usage: "key set of the card scheme, two hex digits"},
		&cli.StringFlag{Name: "usage", Usage: "what the key is for: " + usageList()},
		&cli.StringFlag{Name: "version", Usage: "key version 密钥版本, two hex digits, as the card reports it"},
		&cli.StringFlag{Name: "algorithm", Usage: "algorithm identifier 算法标识, two hex digits, as the card reports it"},
	)
}

func usageList() string {
	list := ""
	for i, u := range keystore.Usages() {
		if i > 0 {
			list += ", "
		}
		list += u
	}
	return list
}

// readRef reads the identity that the flags name.
func readRef(c *cli.Context) (ref keystore.Ref, err error) {
	if !c.IsSet("usage") {
		return ref, cmdline.Usagef("--usage is missing: %s", usageList())
	}
	if err := ref.Usage.UnmarshalText([]byte(c.String("usage"))); err != nil {
		return ref, cmdline.Usage(fmt.Errorf("--usage: %w", err))
	}
	for _, part := range []struct {
		name string
		to   *byte
	}{{"set", &ref.Set}, {"version", &ref.Version}, {"algorithm", &ref.Algorithm}} {
		if !c.IsSet(part.name) {
			return ref, cmdline.Usagef("--%s is missing", part.name)
		}
		if *part.to, err = parseByte(c.String(part.name)); err != nil {
			return ref, cmdline.Usage(fmt.Errorf("--%s: %w", part.name, err))
		}
	}
	return ref, nil
}

// keyChangeCommand is a command that moves one key to another state.
func keyChangeCommand(name, usage string, change func(*keystore.Store, keystore.Ref) error) *cli.Command {
	return &cli.Command{
		Name:  name,
		Usage: usage,
		Flags: identityFlags(),
		Action: func(c *cli.Context) error {
			ref, err := readRef(c)
			if err != nil {
				return err
			}
			return changeStore(c, func(store *keystore.Store) error { return change(store, ref) })
		},
	}
}

func keyCheckValue(c *cli.Context) error {
	ref, err := readRef(c)
	if err != nil {
		return err
	}
	keys, err := listKeys(c)
	if err != nil {
		return err
	}
	for _, k := range keys.Keys {
		if k.Ref == ref {
			_, err := fmt.Fprintln(c.App.Writer, k.KCV)
			return err
		}
	}
	return fmt.Errorf("%w: %s", keystore.ErrNotFound, ref)
}
