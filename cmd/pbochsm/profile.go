package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/keystore"
)

func profileCommand() *cli.Command {
	asJSON := &cli.BoolFlag{Name: "json", Usage: "answer in JSON"}
	set := &cli.StringFlag{Name: "set", Usage: "key set of the card scheme, two hex digits"}
	return &cli.Command{
		Name:  "profile",
		Usage: "what the cards of a key set compute otherwise than others",
		Subcommands: []*cli.Command{
			{
				Name:   "list",
				Usage:  "list the ready-made profiles and the switches",
				Flags:  []cli.Flag{asJSON},
				Action: profileList,
			},
			{
				Name:   "show",
				Usage:  "show the profiles of a keystore, or of one set",
				Flags:  append(storeFlags(), set, asJSON),
				Action: profileShow,
			},
			{
				Name:  "set",
				Usage: "give a key set a profile, in place of the one it has",
				Flags: append(storeFlags(), set,
					&cli.StringFlag{Name: "profile", Value: keystore.ProfilePlain, Usage: "ready-made profile to begin with"},
					&cli.StringSliceFlag{Name: "switch", Usage: "`NAME=READING`; repeat"},
					&cli.StringSliceFlag{Name: "identifier", Usage: "`ID=CIPHER`, what an algorithm identifier stands for, as in 04=sm4; ID= takes it out; repeat"},
				),
				Action: profileSet,
			},
		},
	}
}

// A profileLine is a profile as JSON shows it.
type profileLine struct {
	Set      string                     `json:"set,omitempty"`
	Name     string                     `json:"name"`
	About    string                     `json:"about,omitempty"`
	Switches map[string]string          `json:"switches"`
	Ciphers  map[string]keystore.Cipher `json:"ciphers"`
}

func lineOf(p *keystore.Profile) profileLine {
	l := profileLine{Name: p.Name, Switches: map[string]string{}, Ciphers: map[string]keystore.Cipher{}}
	for i, s := range keystore.Switches() {
		l.Switches[s.Name] = s.Readings[p.Switches[i]]
	}
	for id, c := range p.Ciphers {
		if c != 0 {
			l.Ciphers[hexByte(byte(id))] = c
		}
	}
	return l
}

func profileList(c *cli.Context) error {
	var lines []profileLine
	for _, s := range keystore.Schemes() {
		l := lineOf(&s.Profile)
		l.About = s.About
		lines = append(lines, l)
	}
	if c.Bool("json") {
		return json.NewEncoder(c.App.Writer).Encode(lines)
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PROFILE\tABOUT")
	for _, l := range lines {
		fmt.Fprintf(w, "%s\t%s\n", l.Name, l.About)
	}
	fmt.Fprintln(w, "\t")
	fmt.Fprintln(w, "SWITCH\tREADINGS, THE USUAL ONE FIRST")
	for _, s := range keystore.Switches() {
		fmt.Fprintf(w, "%s\t%s\n", s.Name, strings.Join(s.Readings, ", "))
	}
	return w.Flush()
}

func profileShow(c *cli.Context) error {
	store, err := openStore(c, keystore.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer store.Close()
	snapshot, err := store.Snapshot()
	if err != nil {
		return err
	}
	defer snapshot.Release()
	profiles := snapshot.Profiles()
	if c.IsSet("set") {
		set, err := parseByte(c.String("set"))
		if err != nil {
			return cmdline.Usage(fmt.Errorf("--set: %w", err))
		}
		p := *snapshot.Profile(set)
		p.Set = set
		profiles = []keystore.Profile{p}
	}
	return printProfiles(c, profiles)
}

func printProfiles(c *cli.Context, profiles []keystore.Profile) error {
	lines := []profileLine{}
	for i := range profiles {
		l := lineOf(&profiles[i])
		l.Set = hexByte(profiles[i].Set)
		lines = append(lines, l)
	}
	if c.Bool("json") {
		return json.NewEncoder(c.App.Writer).Encode(lines)
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	for i, l := range lines {
		fmt.Fprintf(w, "set %s\t%s\n", l.Set, l.Name)
		for s, text := range keystore.Switches() {
			fmt.Fprintf(w, "  %s\t%s\n", text.Name, text.Readings[profiles[i].Switches[s]])
		}
		fmt.Fprintf(w, "  algorithm identifiers\t%s\n", identifiers(&profiles[i]))
	}
	return w.Flush()
}

func identifiers(p *keystore.Profile) string {
	var known []string
	for id, c := range p.Ciphers {
		if c != 0 {
			known = append(known, fmt.Sprintf("%02X=%s", id, c))
		}
	}
	if len(known) == 0 {
		return "not judged"
	}
	return strings.Join(known, " ")
}

func profileSet(c *cli.Context) error {
	if !c.IsSet("set") {
		return cmdline.Usagef("--set is missing")
	}
	set, err := parseByte(c.String("set"))
	if err != nil {
		return cmdline.Usage(fmt.Errorf("--set: %w", err))
	}
	p, ok := keystore.SchemeNamed(c.String("profile"), set)
	if !ok {
		return cmdline.Hint(cmdline.Usagef("no profile is called %q", c.String("profile")), "pbochsm profile list shows them")
	}
	if err := turnProfile(&p, c); err != nil {
		return cmdline.Usage(err)
	}
	return changeStore(c, func(store *keystore.Store) error { return store.SetProfile(p) })
}

// turnProfile makes the changes that the flags ask for.
func turnProfile(p *keystore.Profile, c *cli.Context) error {
	for _, text := range c.StringSlice("switch") {
		name, reading, _ := strings.Cut(text, "=")
		if err := p.Turn(name, reading); err != nil {
			return fmt.Errorf("--switch: %w", err)
		}
	}
	for _, text := range c.StringSlice("identifier") {
		digits, word, found := strings.Cut(text, "=")
		id, err := parseByte(digits)
		if err != nil || !found {
			return fmt.Errorf("--identifier: %q is not ID=CIPHER", text)
		}
		var cipher keystore.Cipher
		if word != "" {
			if err := cipher.UnmarshalText([]byte(word)); err != nil {
				return fmt.Errorf("--identifier: %w", err)
			}
		}
		p.Ciphers[id] = cipher
	}
	return nil
}
