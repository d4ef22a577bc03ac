package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/mac"
	"pbochsm/mac/transcript"
)

func apduCommand() *cli.Command {
	return &cli.Command{
		Name:  "apdu",
		Usage: "what a reader and a card say to each other",
		Subcommands: []*cli.Command{
			{
				Name:      "parse",
				Usage:     "take commands and answers apart, field by field",
				ArgsUsage: "[APDU...]",
				Description: "Hexadecimal digits, from the arguments or, without any, a line each from stdin: commands with the answers that\n" +
					"follow them, or an answer to INITIALIZE alone, with or without its status word. > before a command and < before an\n" +
					"answer settle what is what. Operations take the same with --from-apdu.",
				Flags:  []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "answer in JSON"}},
				Action: parseAPDU,
			},
		},
	}
}

func parseAPDU(c *cli.Context) error {
	in := c.App.Reader
	if c.Args().Present() {
		in = strings.NewReader(strings.Join(c.Args().Slice(), "\n"))
	}
	t, err := transcript.Read(in)
	if err != nil {
		return cmdline.Usage(err)
	}
	if c.Bool("json") {
		return writeJSON(c.App.Writer, t)
	}
	for i := range t.Exchanges {
		if i > 0 {
			fmt.Fprintln(c.App.Writer)
		}
		tellExchange(c.App.Writer, &t.Exchanges[i])
	}
	return nil
}

func tellExchange(out io.Writer, e *transcript.Exchange) {
	fmt.Fprintln(out, strings.TrimSpace(e.Name+" "+e.Chinese))
	var rows []string
	for _, side := range []struct {
		sign   string
		pieces []transcript.Piece
	}{{">", e.Command}, {"<", e.Answer}} {
		for _, p := range side.pieces {
			rows = append(rows, strings.Join([]string{
				fmt.Sprintf("  %s %d", side.sign, p.Offset), p.Bytes, p.Name, strings.TrimSpace(p.Chinese + "  " + p.Meaning),
			}, "\t"))
		}
	}
	table(out, rows)
}

// fromAPDUFlags let an operation take its values from what the card said.
func fromAPDUFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{
			Name: "from-apdu", TakesFile: true,
			Usage: "take what no flag says from this `FILE` of commands and answers, - is stdin: see pbochsm apdu parse",
		},
		&cli.StringFlag{Name: "set", Usage: "with --from-apdu, instead of --key: the key set, two hex digits; version and algorithm are the card's"},
	}
}

// A said is where the values of an operation come from: its flags and, for what
// they leave out, a transcript.
type said struct {
	c *cli.Context
	t *transcript.Transcript // nil: there is none
}

// readSaid reads the transcript of --from-apdu, if one is named.
func readSaid(c *cli.Context) (said, error) {
	s := said{c: c}
	name := c.String("from-apdu")
	if name == "" {
		if c.IsSet("set") {
			return s, fmt.Errorf("--set goes with --from-apdu; without it say --key")
		}
		return s, nil
	}
	if name == "-" && c.String("pin-file") == "-" {
		return s, fmt.Errorf("--from-apdu and --pin-file cannot both be stdin")
	}
	in := c.App.Reader
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return s, err
		}
		defer f.Close()
		in = f
	}
	t, err := transcript.Read(in)
	if err != nil {
		return s, fmt.Errorf("--from-apdu: %w", err)
	}
	s.t = t
	return s, nil
}

// key is the key that the operation names.
func (s said) key() (mac.KeyID, error) {
	switch {
	case s.c.IsSet("key") && s.c.IsSet("set"):
		return mac.KeyID{}, fmt.Errorf("want either --key or --set")
	case s.c.IsSet("key"):
		return parseKeyID(s.c.String("key"))
	case s.t == nil:
		return mac.KeyID{}, fmt.Errorf("--key is missing")
	case !s.c.IsSet("set"):
		return mac.KeyID{}, fmt.Errorf("--set is missing: the card does not say whose keys it has")
	}
	set, err := parseByte(s.c.String("set"))
	if err != nil {
		return mac.KeyID{}, fmt.Errorf("--set: %w", err)
	}
	id, known := s.t.Key(set)
	if !known {
		return mac.KeyID{}, fmt.Errorf("--key is missing: no answer to INITIALIZE is in the APDUs that would tell version and algorithm")
	}
	return id, nil
}

// factors are those of the flags, or the card's own.
func (s said) factors() ([]mac.Factor, error) {
	factors, err := parseFactors(s.c.StringSlice("factor"))
	if err != nil || len(factors) > 0 || s.t == nil {
		return factors, err
	}
	if f, known := s.t.Factor(); known {
		factors = []mac.Factor{f}
	}
	return factors, nil
}

// fill fills in a field of op, and leaves a counted one that nobody says absent:
// the operation says whether it may be.
func (s said) fill(op *mac.Op, f mac.Field) error {
	if s.c.IsSet(f.String()) {
		return setField(op, f, s.c.String(f.String()))
	}
	if s.t != nil {
		if v, known := s.t.Field(f); known {
			return setField(op, f, fmt.Sprintf("%X", v))
		}
	}
	switch {
	case f.Counted():
		return nil
	case s.t != nil:
		return fmt.Errorf("--%s is missing: the APDUs do not have it", f)
	}
	return fmt.Errorf("--%s is missing", f)
}
