package main

import (
	"encoding/hex"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/keystore"
	"pbochsm/pkcs11"
	"pbochsm/pkcs11/uri"
)

func tokenCommand() *cli.Command {
	return &cli.Command{
		Name:  "token",
		Usage: "the keys of a PKCS#11 token",
		Description: "The token is one of the tokens of --config, or is named by a URI of RFC 7512, as in\n" +
			"pkcs11:token=pbochsm?module-path=/usr/lib/softhsm/libsofthsm2.so. See docs/pkcs11.md.",
		Subcommands: []*cli.Command{
			tokenListCommand(),
			tokenDoctorCommand(),
			tokenGenerateCommand(),
			tokenImportCommand(),
			tokenAdoptCommand(),
			tokenKCVCommand(),
			tokenDestroyCommand(),
		},
	}
}

// tokenFlags choose a token.
func tokenFlags() []cli.Flag { return append(moduleFlags(), configFlag()) }

// moduleFlags choose a token where the settings do not.
func moduleFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "token", Usage: "name of the token in the settings and in the catalogue"},
		&cli.StringFlag{Name: "uri", Usage: "token, and object where one is asked for, by RFC 7512"},
		&cli.StringFlag{Name: "module", TakesFile: true, Usage: "the token's PKCS#11 library"},
		&cli.StringFlag{Name: "init-args", Usage: "argument of the library's initialization; NSS softokn wants one"},
		&cli.StringFlag{Name: "profile", Usage: "make of the token: softhsm, nss, luna, protectserver, nshield or generic"},
		pinFlag(),
	}
}

// objectFlags choose a key in it.
func objectFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "object", Usage: "label of the key in the token"},
		&cli.StringFlag{Name: "id", Usage: "its identifier, hex digits"},
	}
}

// A tokenChoice is what the flags of a token command say.
type tokenChoice struct {
	config
	token  tokenConfig
	object uri.URI
}

// readToken reads the flags.
func readToken(c *cli.Context) (choice tokenChoice, err error) {
	if choice.config, err = storeConfig(c); err != nil {
		return choice, err
	}
	if c.IsSet("config") {
		if err := choice.pick(c.String("token")); err != nil {
			return choice, err
		}
	}
	t := &choice.token
	t.Name = or(c.String("token"), t.Name)
	for _, text := range []string{t.URI, c.String("uri")} {
		if text == "" {
			continue
		}
		if choice.object, err = t.takeURI(text); err != nil {
			return choice, err
		}
	}
	t.Module, t.InitArgs = or(c.String("module"), t.Module), or(c.String("init-args"), t.InitArgs)
	t.Profile, t.PINSource = or(c.String("profile"), t.Profile), or(c.String("pin-source"), t.PINSource)
	choice.object.Object = or(c.String("object"), choice.object.Object)
	if c.IsSet("id") {
		id, err := hex.DecodeString(c.String("id"))
		if err != nil || len(id) == 0 {
			return choice, cmdline.Usagef("--id: want hexadecimal digits, two for each byte")
		}
		choice.object.ID = string(id)
	}
	return choice, nil
}

// pick takes the token of this name from the settings; without a name, the only
// one there is.
func (choice *tokenChoice) pick(name string) error {
	if name == "" && len(choice.Tokens) == 1 {
		choice.token = choice.Tokens[0]
		return nil
	}
	for _, t := range choice.Tokens {
		if t.Name == name && name != "" {
			choice.token = t
			return nil
		}
	}
	if name == "" {
		return cmdline.Usagef("--token is missing: the settings have %d tokens", len(choice.Tokens))
	}
	return cmdline.Usagef("the settings have no token %q", name)
}

// open opens the token that was chosen. What it gives is called when done.
func (choice *tokenChoice) open(c *cli.Context) (*pkcs11.Token, func(), error) {
	if err := pkcs11.Built(); err != nil {
		return nil, nil, err
	}
	cfg, err := choice.token.settings(nil)
	if err != nil {
		return nil, nil, choice.unchosen(err)
	}
	if err := harden(); err != nil {
		warn(c, "memory of this process may be read by others: %v", err)
	}
	pin, forget, err := commandPIN(c, choice.token.PINSource)
	if err != nil {
		return nil, nil, err
	}
	cfg.PIN = pin
	token, err := pkcs11.Open(c.Context, cfg)
	if err != nil {
		forget()
		return nil, nil, tokenHint(err)
	}
	return token, func() {
		if err := token.Close(); err != nil {
			warn(c, "%v", err)
		}
		forget()
	}, nil
}

// unchosen says which flags choose a token, in answer to an error about the
// settings of one.
func (choice *tokenChoice) unchosen(err error) error {
	t := &choice.token
	switch {
	case t.Module == "":
		return cmdline.Hint(err, "say --uri 'pkcs11:token=LABEL?module-path=LIBRARY', or --config FILE --token NAME")
	case t.Label == "" && t.Serial == "" && t.Slot == nil:
		return cmdline.Hint(cmdline.Usagef("no token of the module is chosen"),
			"say --uri pkcs11:token=LABEL, with serial=NUMBER or slot-id=NUMBER in place of token if the label is not enough")
	}
	return err
}

// name is what the catalogue is to call the token.
func (choice *tokenChoice) name() (string, error) {
	if choice.token.Name == "" {
		return "", cmdline.Hint(cmdline.Usagef("--token is missing: the catalogue needs a name for the token"),
			"the name that the token has, or will have, in the tokens of the daemon's settings")
	}
	if !tokenName.MatchString(choice.token.Name) {
		return "", cmdline.Usagef("--token: a name is 1 to 64 letters, digits, dots, hyphens and underscores")
	}
	return choice.token.Name, nil
}

// store opens the keystore that catalogues the keys.
func (choice *tokenChoice) store(c *cli.Context, o keystore.Options) (*keystore.Store, error) {
	return openStoreAt(c, choice.Data, choice.PassphraseFile, o)
}

// spec names the object that the flags choose.
func (choice *tokenChoice) spec(cipher keystore.Cipher) (pkcs11.Spec, error) {
	if choice.object.Object == "" {
		return pkcs11.Spec{}, cmdline.Hint(cmdline.Usagef("no key is chosen: --object is missing"), "pbochsm token list shows the keys of a token")
	}
	return pkcs11.Spec{Label: choice.object.Object, ID: choice.object.ID, Cipher: cipher}, nil
}

// specFor names the object that a key of the catalogue is to have in a token:
// label and identifier tell what it is for, unless the flags say otherwise. See
// docs/pkcs11.md.
func (choice *tokenChoice) specFor(k keystore.Key) pkcs11.Spec {
	return pkcs11.Spec{
		Label:  or(choice.object.Object, "pbochsm/"+k.Ref.String()),
		ID:     or(choice.object.ID, string([]byte{k.Set, byte(k.Usage), k.Version, k.Algorithm})),
		Cipher: k.Cipher,
		Folded: pkcs11.NeedsFolded(&k),
	}
}
