package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/keystore"
	"pbochsm/pkcs11"
)

func tokenListCommand() *cli.Command {
	return &cli.Command{
		Name:   "list",
		Usage:  "list the secret keys of a token, and whether they are safe to serve from",
		Flags:  append(tokenFlags(), &cli.BoolFlag{Name: "json", Usage: "answer in JSON"}),
		Action: tokenList,
	}
}

// An objectLine is a key of a token as `token list --json` shows it.
type objectLine struct {
	Label    string        `json:"label"`
	ID       string        `json:"id"`
	KeyType  string        `json:"key_type"`
	KCV      *keystore.KCV `json:"kcv,omitempty"`
	Problems []string      `json:"problems,omitempty"`
}

func tokenList(c *cli.Context) error {
	choice, err := readToken(c)
	if err != nil {
		return err
	}
	token, done, err := choice.open(c)
	if err != nil {
		return err
	}
	defer done()
	objects, err := token.Objects()
	if err != nil {
		return err
	}
	lines := []objectLine{}
	for _, o := range objects {
		line := objectLine{Label: o.Label, ID: fmt.Sprintf("%X", o.ID), KeyType: keyTypeName(o.KeyType), Problems: o.Problems}
		kcv, err := token.CheckValue(pkcs11.Spec{Label: o.Label, ID: o.ID, Cipher: keystore.Cipher3DES})
		if err == nil {
			line.KCV = &kcv
		}
		lines = append(lines, line)
	}
	if c.Bool("json") {
		return json.NewEncoder(c.App.Writer).Encode(lines)
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "LABEL\tID\tTYPE\tKCV\tAUDIT")
	for _, l := range lines {
		kcv, audit := "-", "good"
		if l.KCV != nil {
			kcv = l.KCV.String()
		}
		if len(l.Problems) > 0 {
			audit = strings.Join(l.Problems, "; ")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", printable(l.Label), l.ID, l.KeyType, kcv, audit)
	}
	return w.Flush()
}

// printable keeps what a token has in a label from moving the cursor.
func printable(s string) string {
	return strings.Trim(fmt.Sprintf("%+q", s), `"`)
}

// keyTypeName names the types of keys that matter here.
func keyTypeName(t uint) string {
	names := map[uint]string{0x10: "generic", 0x13: "des", 0x14: "des2", 0x15: "des3", 0x1F: "aes"}
	if name, ok := names[t]; ok {
		return name
	}
	return fmt.Sprintf("%#x", t)
}

func tokenKCVCommand() *cli.Command {
	return &cli.Command{
		Name:  "kcv",
		Usage: "print the check value of a key in a token",
		Flags: append(append(tokenFlags(), objectFlags()...),
			&cli.StringFlag{Name: "cipher", Value: "3des", Usage: "block cipher of the key"}),
		Action: func(c *cli.Context) error {
			choice, err := readToken(c)
			if err != nil {
				return err
			}
			var cipher keystore.Cipher
			if err := cipher.UnmarshalText([]byte(c.String("cipher"))); err != nil {
				return cmdline.Usage(fmt.Errorf("--cipher: %w", err))
			}
			spec, err := choice.spec(cipher)
			if err != nil {
				return err
			}
			token, done, err := choice.open(c)
			if err != nil {
				return err
			}
			defer done()
			kcv, err := token.CheckValue(spec)
			if err != nil {
				return tokenHint(err)
			}
			_, err = fmt.Fprintln(c.App.Writer, kcv)
			return err
		},
	}
}

func tokenDestroyCommand() *cli.Command {
	return &cli.Command{
		Name:  "destroy",
		Usage: "remove a key from a token, for good",
		Description: "A key that the catalogue of --data still has is not destroyed: retire and delete it there\n" +
			"first. A terminal is asked for the label once more; elsewhere --yes must be said.",
		Flags: append(append(tokenFlags(), objectFlags()...), dataFlag(), passphraseFlag(),
			&cli.BoolFlag{Name: "yes", Usage: "do not ask"}),
		Action: tokenDestroy,
	}
}

func tokenDestroy(c *cli.Context) error {
	choice, err := readToken(c)
	if err != nil {
		return err
	}
	spec, err := choice.spec(keystore.Cipher3DES)
	if err != nil {
		return err
	}
	if choice.Data == "" {
		return cmdline.Hint(cmdline.Usagef("--data is missing: the catalogue tells whether the key is still in use"), "or take it from the daemon's settings with --config")
	}
	if err := choice.unused(c, spec); err != nil {
		return err
	}
	token, done, err := choice.open(c)
	if err != nil {
		return err
	}
	defer done()
	if err := confirmed(c, spec); err != nil {
		return err
	}
	return token.Destroy(spec)
}

// unused refuses a key that the catalogue has.
func (choice *tokenChoice) unused(c *cli.Context, spec pkcs11.Spec) error {
	store, err := choice.store(c, keystore.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer store.Close()
	keys, err := store.Keys()
	if err != nil {
		return err
	}
	for _, k := range keys {
		here := choice.token.Name == "" || k.Home.Token == choice.token.Name
		if here && k.Home.Label == spec.Label && (spec.ID == "" || k.Home.ID == spec.ID) {
			return cmdline.Hint(fmt.Errorf("the catalogue has it as %s, %s", k.Ref, k.State), "key retire and key delete take it out of there")
		}
	}
	return nil
}

// confirmed asks for the label of what is to go.
func confirmed(c *cli.Context, spec pkcs11.Spec) error {
	if c.Bool("yes") {
		return nil
	}
	if _, ok := terminal(c); !ok {
		return cmdline.Hint(errors.New("nobody is there to be asked"), "say --yes to destroy %s without a question", spec)
	}
	fmt.Fprintf(c.App.ErrWriter, "no backup brings it back. To destroy %s, type its label: ", spec)
	line, err := bufio.NewReader(c.App.Reader).ReadString('\n')
	if err == nil && strings.TrimSpace(line) != spec.Label {
		err = errors.New("that is not its label: nothing was destroyed")
	}
	return err
}
