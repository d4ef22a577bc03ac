package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/cmd/onecard/internal/api/contract"
	"pbochsm/cmd/onecard/internal/config"
	"pbochsm/cmd/onecard/internal/ledger"
	"pbochsm/cmd/onecard/internal/recharge"
)

func ledgerCommand() *cli.Command {
	return &cli.Command{
		Name:  "ledger",
		Usage: "look after the ledger: schema, audit, accounts, recharge cards, refunds",
		Subcommands: []*cli.Command{
			{
				Name: "migrate", Usage: "bring the schema up to date; safe to repeat",
				Flags: []cli.Flag{configFlag()}, Action: migrateLedger,
			},
			{
				Name: "verify", Usage: "hold every row against the invariants; exits with 1 if one does not hold",
				Flags: []cli.Flag{configFlag(), jsonFlag()}, Action: readingLedger(verifyLedger),
			},
			{
				Name: "export", Usage: "print the journal as JSON lines",
				Flags: []cli.Flag{configFlag()}, Action: readingLedger(exportLedger),
			},
			reconcileCommand(),
			{
				Name: "import-orders", Usage: "register paid orders from a CSV file, or from stdin", ArgsUsage: "[FILE]",
				Description: "The first line names the columns: TradeID,CarNo,TradeMoney,PaymentType,AccountNo,PaymentTradeID.\n" +
					"An order that is known already with the same content is left alone, so a file can be given again.",
				Flags:  []cli.Flag{configFlag(), whoFlag(), &cli.StringFlag{Name: "domain", Required: true, Usage: "OrigionDomain of the orders"}},
				Action: withLedger(importOrders),
			},
			accountCommand(),
			rechargeCardsCommand(),
			corpCommand(),
			personCommand(),
			proposalCommand("refund", "give the money of an order back; takes two persons and evidence", recharge.Refunded),
			proposalCommand("write-off", "close an order whose card never came back; takes two persons", recharge.WrittenOff),
		},
	}
}

func jsonFlag() cli.Flag { return &cli.BoolFlag{Name: "json", Usage: "print JSON"} }

func whoFlag() cli.Flag {
	return &cli.StringFlag{Name: "who", Value: os.Getenv("USER"), Usage: "who does it, for the record", DefaultText: "$USER"}
}

// Books are an open ledger with what the operator's commands need.
type books struct {
	cfg      *config.Config
	ledger   *ledger.Ledger
	operator *recharge.Operator
	who      string
}

// withLedger makes the action of a command that works on the ledger of
// --config.
func withLedger(do func(*cli.Context, *books) error) cli.ActionFunc { return inLedger(false, do) }

// readingLedger is withLedger for a command that changes nothing, and so can ask
// a standby.
func readingLedger(do func(*cli.Context, *books) error) cli.ActionFunc { return inLedger(true, do) }

func inLedger(readOnly bool, do func(*cli.Context, *books) error) cli.ActionFunc {
	return func(c *cli.Context) (err error) {
		cfg, err := readConfig(c)
		if err != nil {
			return err
		}
		b := &books{cfg: cfg, who: c.String("who")}
		if b.who == "" {
			b.who = "operator"
		}
		log, err := newLogger(c.App.ErrWriter, config.Log{Level: "warn"})
		if err != nil {
			return err
		}
		fatal := func(err error) { log.Error("ledger", "error", err) }
		keys, err := serverKeys(cfg)
		if err != nil {
			return err
		}
		b.ledger, err = ledger.Open(c.Context, ledger.Options{DSN: dsn(cfg), Fatal: fatal, Secret: keys.Check(), ReadOnly: readOnly})
		switch {
		case errors.Is(err, ledger.ErrSchema):
			return cmdline.Hint(err, "a new or older ledger wants: onecard ledger migrate --config %s", c.String("config"))
		case err != nil:
			return err
		}
		defer func() { err = errors.Join(err, b.ledger.Close()) }()
		b.operator, err = recharge.NewOperator(recharge.OperatorOptions{Ledger: b.ledger, Keys: keys, Clock: time.Now, Rand: randomness, Settings: settings(cfg)})
		if err != nil {
			return err
		}
		return do(c, b)
	}
}

func migrateLedger(c *cli.Context) error {
	cfg, err := readConfig(c)
	if err != nil {
		return err
	}
	return ledger.Migrate(c.Context, dsn(cfg))
}

// errUnsound is a ledger that does not hold.
var errUnsound = errors.New("the ledger does not hold")

func verifyLedger(c *cli.Context, b *books) error {
	report, err := b.ledger.Verify(c.Context)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		if err := printJSON(c, report); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(c.App.Writer, "%d orders, %d writes, %d postings: %d faults\n", report.Orders, report.Writes, report.Postings, int64(len(report.Faults))+report.More)
		for _, f := range report.Faults {
			fmt.Fprintln(c.App.Writer, f)
		}
		if report.More > 0 {
			fmt.Fprintf(c.App.Writer, "and %d more\n", report.More)
		}
	}
	if len(report.Faults) > 0 {
		return errUnsound
	}
	return nil
}

func printJSON(c *cli.Context, v any) error {
	e := json.NewEncoder(c.App.Writer)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func exportLedger(c *cli.Context, b *books) error { return b.ledger.Export(c.Context, c.App.Writer) }

func importOrders(c *cli.Context, b *books) error {
	if !slices.ContainsFunc(b.cfg.Domains, func(d config.Domain) bool { return d.Code == c.String("domain") }) {
		return cmdline.Usagef("--domain: the configuration has no origin domain %s", c.String("domain"))
	}
	in := c.App.Reader
	switch c.NArg() {
	case 0:
	case 1:
		f, err := os.Open(c.Args().First())
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	default:
		return cmdline.Usagef("want one file, or none for stdin")
	}
	result, err := b.operator.ImportOrders(c.Context, b.who, c.String("domain"), in)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "%d new, %d known, %d refused\n", result.New, result.Known, len(result.Refused))
	for _, r := range result.Refused {
		fmt.Fprintf(c.App.Writer, "line %d: %s\n", r.Line, inWords(r.Err))
	}
	if len(result.Refused) > 0 {
		return fmt.Errorf("%d orders were refused", len(result.Refused))
	}
	return nil
}

// inWords tells a refusal as the API would, in English.
func inWords(err error) string {
	var refused *recharge.Error
	if !errors.As(err, &refused) {
		return err.Error()
	}
	return contract.Profile{}.Print(refused.Code) + " " + contract.Find(refused.Code).Message(contract.English, refused.Field)
}
