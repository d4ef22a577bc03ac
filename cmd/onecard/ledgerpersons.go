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
	found, err := readSecrets(c, flag, prompt)
	if err != nil {
		return "", err
	}
	return found[0], nil
}

// readSecrets takes as many lines as there are prompts, see readSecret.
func readSecrets(c *cli.Context, flag string, prompts ...string) ([]string, error) {
	if name := c.String(flag); name != "" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return secretLines(f, len(prompts))
	}
	f, isFile := c.App.Reader.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return secretLines(c.App.Reader, len(prompts))
	}
	var all []string
	for _, prompt := range prompts {
		fmt.Fprint(c.App.ErrWriter, prompt)
		line, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(c.App.ErrWriter)
		if err != nil {
			return nil, err
		}
		if len(line) == 0 {
			return nil, cmdline.Usagef("want a line that is not empty")
		}
		all = append(all, string(line))
	}
	return all, nil
}

// secretLines reads n lines, and waits for nothing after them.
func secretLines(from io.Reader, n int) ([]string, error) {
	r := bufio.NewReader(io.LimitReader(from, 4096))
	all := make([]string, n)
	for i := range all {
		line, err := r.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if all[i] = strings.TrimRight(line, "\r\n"); all[i] == "" {
			return nil, cmdline.Usagef("line %d of %d is missing or empty", i+1, n)
		}
	}
	if r.Buffered() > 0 {
		return nil, cmdline.Usagef("there are more lines than the %d that are wanted", n)
	}
	return all, nil
}

func personCommand() *cli.Command {
	return &cli.Command{
		Name: "person", Usage: "who may propose and approve refunds and write-offs",
		Subcommands: []*cli.Command{
			{
				Name: "add", Usage: "add a person; the pass-phrase is read from stdin",
				Description: "The first two persons add themselves. Another is added in the presence of two who are there, each\n" +
					"named by --sponsor: pass-phrases are asked for one after the other, the new one first, or are as many lines.",
				Flags: on(numberFlag("name", "of the person"), passwordFlag(),
					&cli.StringSliceFlag{Name: "sponsor", Usage: "person who vouches for the new one; twice, from the third person on"}),
				Action: withLedger(addPerson),
			},
			{
				Name: "remove", Usage: "keep a person from taking part from now on; two others vouch for it",
				Description: "Their pass-phrases are asked for one after the other, or are two lines. Two persons must remain.",
				Flags: on(numberFlag("name", "of the person"), passwordFlag(),
					&cli.StringSliceFlag{Name: "sponsor", Usage: "person who vouches for it; twice"}),
				Action: withLedger(func(c *cli.Context, b *books) error {
					sponsors, err := signatures(c, c.StringSlice("sponsor")...)
					if err != nil {
						return err
					}
					return sponsorHint(b.operator.RemovePerson(c.Context, b.who, c.String("name"), sponsors...))
				}),
			},
			{
				Name: "list", Usage: "list the persons; the journal has when and by whom each was added", Flags: on(),
				Action: withLedger(func(c *cli.Context, b *books) error {
					names, err := b.ledger.Persons(c.Context)
					for _, name := range names {
						fmt.Fprintln(c.App.Writer, name)
					}
					return err
				}),
			},
		},
	}
}

func addPerson(c *cli.Context, b *books) error {
	all, err := signatures(c, append([]string{c.String("name")}, c.StringSlice("sponsor")...)...)
	if err != nil {
		return err
	}
	return sponsorHint(b.operator.AddPerson(c.Context, b.who, all[0], all[1:]...))
}

// signatures asks each person for a pass-phrase.
func signatures(c *cli.Context, names ...string) ([]recharge.Signature, error) {
	prompts := make([]string, len(names))
	for i, name := range names {
		prompts[i] = "pass-phrase of " + name + ": "
	}
	secrets, err := readSecrets(c, "password-file", prompts...)
	if err != nil {
		return nil, err
	}
	all := make([]recharge.Signature, len(names))
	for i, name := range names {
		all[i] = recharge.Signature{Name: name, Passphrase: recharge.Password(secrets[i])}
	}
	return all, nil
}

func sponsorHint(err error) error {
	if errors.Is(err, recharge.ErrSponsors) {
		return cmdline.Hint(err, "name both: --sponsor NAME --sponsor NAME")
	}
	return err
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
				Action: readingLedger(func(c *cli.Context, b *books) error { return listProposals(c, b, kind) }),
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
