package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/cmd/onecard/internal/ledger"
	"pbochsm/cmd/onecard/internal/recharge"
)

func passwordFlag() cli.Flag {
	return &cli.StringFlag{Name: "password-file", TakesFile: true, Usage: "file that holds it on one line; else stdin"}
}

// readSecret takes a line from the file of a flag, from the terminal without
// echo, or from stdin.
func readSecret(c *cli.Context, flag, prompt string) (string, error) {
	var text string
	switch f, isFile := c.App.Reader.(*os.File); {
	case c.String(flag) != "":
		content, err := os.ReadFile(c.String(flag))
		if err != nil {
			return "", err
		}
		text = string(content)
	case isFile && term.IsTerminal(int(f.Fd())):
		fmt.Fprint(c.App.ErrWriter, prompt)
		content, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(c.App.ErrWriter)
		if err != nil {
			return "", err
		}
		text = string(content)
	default:
		line, err := bufio.NewReader(io.LimitReader(c.App.Reader, 4096)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		text = line
	}
	text = strings.TrimRight(text, "\r\n")
	if text == "" || strings.ContainsAny(text, "\r\n") {
		return "", cmdline.Usagef("want one line that is not empty")
	}
	return text, nil
}

func personCommand() *cli.Command {
	return &cli.Command{
		Name: "person", Usage: "who may propose and approve refunds and write-offs",
		Subcommands: []*cli.Command{{
			Name: "add", Usage: "add a person; the pass-phrase is read from stdin", Flags: on(numberFlag("name", "of the person"), passwordFlag()),
			Action: withLedger(func(c *cli.Context, b *books) error {
				passphrase, err := readSecret(c, "password-file", "pass-phrase of "+c.String("name")+": ")
				if err != nil {
					return err
				}
				return b.operator.AddPerson(c.Context, b.who, c.String("name"), recharge.Password(passphrase))
			}),
		}},
	}
}

// proposalCommand is what takes two persons: one proposes, another approves.
func proposalCommand(name, usage string, kind recharge.State) *cli.Command {
	person := numberFlag("person", "who does it")
	return &cli.Command{
		Name: name, Usage: usage,
		Subcommands: []*cli.Command{
			{
				Name: "propose", Usage: "the first person, whose pass-phrase is read from stdin; prints the number of the proposal",
				Flags: on(person, passwordFlag(), &cli.StringFlag{Name: "domain", Usage: "OrigionDomain of the order"},
					&cli.StringFlag{Name: "trade-id", Usage: "of the order"}, &cli.Int64Flag{Name: "order", Usage: "its number in the journal, for orders without a TradeID"},
					numberFlag("evidence", "what shows that it is right")),
				Action: withLedger(func(c *cli.Context, b *books) error { return propose(c, b, kind) }),
			},
			{
				Name: "approve", Usage: "the second person, whose pass-phrase is read from stdin",
				Flags: on(person, passwordFlag(), &cli.Int64Flag{Name: "proposal", Required: true, Usage: "its number"}),
				Action: withLedger(func(c *cli.Context, b *books) error {
					passphrase, err := readSecret(c, "password-file", "pass-phrase of "+c.String("person")+": ")
					if err != nil {
						return err
					}
					return b.operator.Approve(c.Context, kind, c.Int64("proposal"), c.String("person"), recharge.Password(passphrase))
				}),
			},
			{
				Name: "list", Usage: "list what was proposed, with what became of it", Flags: on(),
				Action: withLedger(func(c *cli.Context, b *books) error { return listProposals(c, b, kind) }),
			},
		},
	}
}

func propose(c *cli.Context, b *books, kind recharge.State) error {
	if (c.String("trade-id") == "") == (c.Int64("order") == 0) {
		return cmdline.Usagef("want either --domain and --trade-id, or --order")
	}
	passphrase, err := readSecret(c, "password-file", "pass-phrase of "+c.String("person")+": ")
	if err != nil {
		return err
	}
	id, err := b.operator.Propose(c.Context, recharge.Proposed{
		Kind: kind, Domain: c.String("domain"), TradeID: strings.ToUpper(c.String("trade-id")), OrderID: c.Int64("order"),
		Evidence: c.String("evidence"),
	}, c.String("person"), recharge.Password(passphrase))
	if err == nil {
		fmt.Fprintln(c.App.Writer, id)
	}
	return err
}

// A proposalView is a proposal as a person reads it.
type proposalView struct {
	Proposal int64     `json:"proposal"`
	Order    int64     `json:"order"`
	Evidence string    `json:"evidence"`
	Proposer string    `json:"proposer"`
	Approver string    `json:"approver,omitempty"`
	At       time.Time `json:"at"`
}

func listProposals(c *cli.Context, b *books, kind recharge.State) error {
	found, err := b.ledger.Proposals(c.Context)
	if err != nil {
		return err
	}
	all := []proposalView{}
	for _, p := range found {
		if p.Kind == kind {
			all = append(all, proposalView{p.ID, p.Order, p.Evidence, p.Proposer, p.Approver, time.UnixMilli(p.At).In(b.cfg.Zone())})
		}
	}
	return printJSON(c, all)
}

// A corporateView is a corporate card without its password's hash.
type corporateView struct {
	CardNo  string          `json:"cardNo"`
	ASN     string          `json:"asn"`
	Name    string          `json:"name"`
	Balance recharge.Fen    `json:"balance"`
	Status  recharge.Status `json:"status"`
}

func corporates(ctx context.Context, l *ledger.Ledger) ([]corporateView, error) {
	found, err := l.Corporates(ctx)
	if err != nil {
		return nil, err
	}
	all := []corporateView{}
	for _, c := range found {
		all = append(all, corporateView{c.CardNo, fmt.Sprintf("%X", c.ASN), c.Account.Name, c.Account.Balance, c.Account.Status})
	}
	return all, nil
}
