package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/keystore"
	"pbochsm/pkcs11"
)

// tokenKeyFlags describe a key that is to be in a token and in the catalogue.
func tokenKeyFlags() []cli.Flag {
	return append(append(moduleFlags(), objectFlags()...), attributeFlags()...)
}

func kcvFlag() cli.Flag {
	return &cli.StringFlag{Name: "kcv", Usage: "check value that the key must have, 6 hex digits"}
}

func tokenGenerateCommand() *cli.Command {
	return &cli.Command{
		Name:   "generate",
		Usage:  "make a random key inside the token and enter it into the catalogue",
		Flags:  tokenKeyFlags(),
		Action: func(c *cli.Context) error { return enterKey(c, tokenGenerate) },
	}
}

func tokenImportCommand() *cli.Command {
	return &cli.Command{
		Name:  "import",
		Usage: "combine components, put the key into the token and enter it into the catalogue",
		Description: "Components are read as by key import. With --pin-source - the first line of stdin is\n" +
			"the PIN, and the components follow it.",
		Flags:  append(tokenKeyFlags(), kcvFlag()),
		Action: func(c *cli.Context) error { return enterKey(c, tokenImport) },
	}
}

func tokenAdoptCommand() *cli.Command {
	return &cli.Command{
		Name:   "adopt",
		Usage:  "enter a key into the catalogue that is in the token already",
		Flags:  append(tokenKeyFlags(), kcvFlag()),
		Action: func(c *cli.Context) error { return enterKey(c, tokenAdopt) },
	}
}

// An entry is a key on its way into a token and the catalogue.
type entry struct {
	token *pkcs11.Token
	store *keystore.Store
	key   keystore.Key
	spec  pkcs11.Spec
	want  *keystore.KCV // the check value that it must have
}

// enterKey opens catalogue and token, has get put the key where it belongs, and
// enters it. A key that cannot be entered is not left behind in the token.
func enterKey(c *cli.Context, get func(*cli.Context, *entry) (made bool, err error)) error {
	key, err := readKey(c)
	if err != nil {
		return err
	}
	choice, err := readToken(c)
	if err != nil {
		return err
	}
	e := entry{key: key, spec: choice.specFor(key)}
	if e.key.Home.Token, err = choice.name(); err != nil {
		return err
	}
	e.key.Home.Label, e.key.Home.ID = e.spec.Label, e.spec.ID
	if e.want, err = readKCV(c); err != nil {
		return err
	}
	if e.store, err = choice.store(c, keystore.Options{}); err != nil {
		return err
	}
	defer e.store.Close()
	if err := e.vacant(); err != nil {
		return err
	}
	token, done, err := choice.open(c)
	if err != nil {
		return err
	}
	defer done()
	e.token = token
	made, err := get(c, &e)
	if err != nil {
		return tokenHint(err)
	}
	added, err := e.store.Adopt(e.key)
	if err == nil {
		err = e.store.Save(random)
	}
	if err != nil && made {
		err = errors.Join(err, token.Destroy(e.spec))
	}
	if err != nil {
		return err
	}
	return printAdded(c, added)
}

// vacant refuses an identity that the catalogue has, before anything is made.
func (e *entry) vacant() error {
	keys, err := e.store.Keys()
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.Ref == e.key.Ref {
			return fmt.Errorf("%w: %s", keystore.ErrDuplicate, k.Ref)
		}
	}
	return nil
}

func readKCV(c *cli.Context) (*keystore.KCV, error) {
	if !c.IsSet("kcv") {
		return nil, nil //nolint:nilnil // no check value is asked for
	}
	want := new(keystore.KCV)
	if err := want.UnmarshalText([]byte(c.String("kcv"))); err != nil {
		return nil, cmdline.Usage(fmt.Errorf("--kcv: %w", err))
	}
	return want, nil
}

func (e *entry) judge(kcv keystore.KCV) error {
	if e.want != nil && kcv != *e.want {
		return fmt.Errorf("check value is %s, not %s: nothing was stored", kcv, *e.want)
	}
	return nil
}

func tokenGenerate(_ *cli.Context, e *entry) (made bool, err error) {
	e.key.KCV, err = e.token.Generate(e.spec)
	return true, err
}

func tokenImport(c *cli.Context, e *entry) (made bool, err error) {
	components, err := readComponents(c, e.store, e.key.Cipher)
	defer clear(components)
	if err != nil {
		return false, err
	}
	secret, warnings, err := e.store.Combine(components)
	defer clear(secret[:])
	if err != nil {
		return false, err
	}
	for _, w := range warnings {
		warn(c, "%s", w)
	}
	kcv, err := secret.KCV(e.key.Cipher)
	if err == nil {
		err = e.judge(kcv)
	}
	if err != nil {
		return false, err
	}
	e.key.KCV, err = e.token.Import(e.spec, &secret)
	return true, err
}

func tokenAdopt(_ *cli.Context, e *entry) (made bool, err error) {
	if e.key.KCV, err = e.token.CheckValue(e.spec); err != nil {
		return false, err
	}
	return false, e.judge(e.key.KCV)
}

// tokenHint adds to an error of package pkcs11 what can be done about it.
func tokenHint(err error) error {
	var audit *pkcs11.AuditError
	switch {
	case errors.As(err, &audit):
		return cmdline.Hint(err, "%s", audit.Hint())
	case pkcs11.RefusedPIN(err):
		return cmdline.Hint(fmt.Errorf("the token refuses the PIN: %w", err), "tokens count wrong PINs and lock: look at the PIN and at its source before anything tries again")
	case errors.Is(err, pkcs11.ErrLabel):
		return cmdline.Hint(err, "nothing is overwritten: choose another label with --object, or enter the key that is there with pbochsm token adopt")
	}
	return err
}
