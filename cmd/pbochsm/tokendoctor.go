package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"pbochsm/keystore"
	"pbochsm/pkcs11"
)

func tokenDoctorCommand() *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "find out by known answers what a token can do, and whether a daemon would serve from it",
		Description: "With --data, or settings that have a keystore, the keys that the catalogue has in this\n" +
			"token are found, audited and held against their check values. Exits with 1 where the\n" +
			"daemon would not serve.",
		Flags:  append(tokenFlags(), dataFlag(), passphraseFlag(), &cli.BoolFlag{Name: "json", Usage: "answer in JSON"}),
		Action: tokenDoctor,
	}
}

// A finding is a line of the doctor's table.
type finding struct {
	Question string `json:"question"`
	Works    bool   `json:"works"`
	Needed   bool   `json:"needed"`
	Detail   string `json:"detail"`
}

// A diagnosis is what the doctor says.
type diagnosis struct {
	TAC      string    `json:"tac"`
	Serves   bool      `json:"serves"`
	Findings []finding `json:"findings"`
}

var errNotServed = errors.New("a daemon would not serve from this token")

func tokenDoctor(c *cli.Context) error {
	choice, err := readToken(c)
	if err != nil {
		return err
	}
	keys, err := choice.catalogued(c)
	if err != nil {
		return err
	}
	token, done, err := choice.open(c)
	if err != nil {
		return err
	}
	defer done()
	found, err := token.Diagnose()
	if err != nil {
		return err
	}
	d := diagnosis{TAC: found.TAC.String(), Serves: found.Serves()}
	for _, f := range found.Findings {
		d.Findings = append(d.Findings, finding(f))
	}
	for _, k := range keys {
		d.examine(token, &choice, k)
	}
	if err := d.print(c); err != nil {
		return err
	}
	if !d.Serves {
		return errNotServed
	}
	return nil
}

// catalogued gives the keys that the catalogue has in the token; none where
// there is no catalogue.
func (choice *tokenChoice) catalogued(c *cli.Context) (list []keystore.Key, err error) {
	if choice.Data == "" {
		return nil, nil // no catalogue, no keys
	}
	name, err := choice.name()
	if err != nil {
		return nil, err
	}
	store, err := choice.store(c, keystore.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer store.Close()
	keys, err := store.Keys()
	for _, k := range keys {
		if k.Home.Token == name {
			list = append(list, k)
		}
	}
	return list, err
}

// examine looks at one key of the catalogue. One that is not active may fail.
func (d *diagnosis) examine(token *pkcs11.Token, choice *tokenChoice, k keystore.Key) {
	spec := choice.specFor(k)
	spec.Label, spec.ID = k.Home.Label, k.Home.ID
	f := finding{Question: fmt.Sprintf("key %s, %s", k.Ref, k.State), Needed: k.State == keystore.StateActive, Detail: "found, audited, check value " + k.KCV.String()}
	kcv, err := token.CheckValue(spec)
	switch {
	case err != nil:
		f.Detail = err.Error()
		var audit *pkcs11.AuditError
		if errors.As(err, &audit) {
			f.Detail += ". To mend it: " + audit.Hint()
		}
	case kcv != k.KCV:
		f.Detail = fmt.Sprintf("check value %s, but %s in the catalogue", kcv, k.KCV)
	default:
		f.Works = true
	}
	d.Serves = d.Serves && (f.Works || !f.Needed)
	d.Findings = append(d.Findings, f)
}

func (d *diagnosis) print(c *cli.Context) error {
	if c.Bool("json") {
		return json.NewEncoder(c.App.Writer).Encode(d)
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "QUESTION\tANSWER\tDETAIL")
	for _, f := range d.Findings {
		answer := "works"
		switch {
		case !f.Works && f.Needed:
			answer = "FAILS"
		case !f.Works:
			answer = "no"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.Question, answer, strings.TrimPrefix(oneLine(f.Detail), "pkcs11: "))
	}
	return w.Flush()
}
