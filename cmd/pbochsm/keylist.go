package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"pbochsm/keystore"
)

// A keyLine is a key as `key list --json` shows it.
type keyLine struct {
	Index        uint16          `json:"index"`
	Set          string          `json:"set"`
	Usage        keystore.Usage  `json:"usage"`
	Version      string          `json:"version"`
	Algorithm    string          `json:"algorithm"`
	Cipher       keystore.Cipher `json:"cipher"`
	Levels       uint8           `json:"levels"`
	State        keystore.State  `json:"state"`
	KCV          keystore.KCV    `json:"kcv"`
	Home         string          `json:"home"`
	Raw          bool            `json:"raw,omitempty"`
	Export       bool            `json:"export,omitempty"`
	keystore.Ref `json:"-"`
}

// A keyTable is a store as `key list` shows it.
type keyTable struct {
	Mode  keystore.Mode `json:"mode"`
	Epoch uint64        `json:"epoch"`
	Check keystore.KCV  `json:"check"`
	Keys  []keyLine     `json:"keys"`
}

func keyListCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list the keys with their attributes and check values",
		Flags: append(storeFlags(), &cli.BoolFlag{Name: "json", Usage: "answer in JSON"}),
		Action: func(c *cli.Context) error {
			table, err := listKeys(c)
			if err != nil {
				return err
			}
			if c.Bool("json") {
				return json.NewEncoder(c.App.Writer).Encode(table)
			}
			return table.print(c)
		},
	}
}

// listKeys reads the whole store.
func listKeys(c *cli.Context) (keyTable, error) {
	store, err := openStore(c, keystore.Options{ReadOnly: true})
	if err != nil {
		return keyTable{}, err
	}
	defer store.Close()
	snapshot, err := store.Snapshot()
	if err != nil {
		return keyTable{}, err
	}
	defer snapshot.Release()
	table := keyTable{Mode: snapshot.Mode(), Epoch: snapshot.Epoch(), Check: snapshot.Check(), Keys: []keyLine{}}
	for _, k := range snapshot.Keys() {
		table.Keys = append(table.Keys, keyLine{
			Index: k.Index, Set: hexByte(k.Set), Usage: k.Usage, Version: hexByte(k.Version),
			Algorithm: hexByte(k.Algorithm), Cipher: k.Cipher, Levels: k.Levels, State: k.State, KCV: k.KCV, Home: k.Home.String(),
			Raw: k.Raw, Export: k.Export, Ref: k.Ref,
		})
	}
	return table, nil
}

// rights are what others than the commands of the purse may have of the key.
func (k *keyLine) rights() string {
	switch {
	case k.Export:
		return "raw,export"
	case k.Raw:
		return "raw"
	}
	return "-"
}

func hexByte(b byte) string { return fmt.Sprintf("%02X", b) }

func (t keyTable) print(c *cli.Context) error {
	fmt.Fprintf(c.App.Writer, "%s keystore, epoch %d, storage master key %s\n", t.Mode, t.Epoch, t.Check)
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	inToken := slices.ContainsFunc(t.Keys, func(k keyLine) bool { return k.Home != keystore.Home{}.String() })
	raw := slices.ContainsFunc(t.Keys, func(k keyLine) bool { return k.Raw })
	heading := "INDEX\tSET\tUSAGE\tVERSION\tALGORITHM\tCIPHER\tLEVELS\tSTATE\tKCV"
	if raw {
		heading += "\tRIGHTS"
	}
	if inToken {
		heading += "\tHOME"
	}
	fmt.Fprintln(w, heading)
	for _, k := range t.Keys {
		more := ""
		if raw {
			more += "\t" + k.rights()
		}
		if inToken {
			more += "\t" + k.Home
		}
		fmt.Fprintf(w, "K%03X\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s%s\n",
			k.Index, k.Set, k.Usage, k.Version, k.Algorithm, k.Cipher, k.Levels, k.State, k.KCV, more)
	}
	return w.Flush()
}
