package main

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/cmd/onecard/internal/recharge"
	"pbochsm/mac"
)

func numberFlag(name, usage string) cli.Flag {
	return &cli.StringFlag{Name: name, Required: true, Usage: usage}
}

func fenFlag() cli.Flag {
	return &cli.Int64Flag{Name: "fen", Required: true, Usage: "amount in fen, 1/100 yuan"}
}

func serialFlag() cli.Flag {
	return &cli.StringFlag{Name: "serial", Required: true, Usage: "serial of the payment; the same one is never booked twice"}
}

// on gives flags that every command of the ledger has, and more.
func on(more ...cli.Flag) []cli.Flag { return append([]cli.Flag{configFlag(), whoFlag()}, more...) }

func accountCommand() *cli.Command {
	number := numberFlag("number", "merchant number, BalunitNo")
	return &cli.Command{
		Name: "account", Usage: "prepaid accounts of merchants",
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "list all accounts", Flags: on(jsonFlag()), Action: readingLedger(listAccounts)},
			{
				Name: "create", Usage: "open the account of a merchant", Flags: on(number, &cli.StringFlag{Name: "name", Usage: "of the merchant"}),
				Action: withLedger(func(c *cli.Context, b *books) error {
					return b.operator.CreateMerchant(c.Context, b.who, c.String("number"), c.String("name"))
				}),
			},
			{
				Name: "top-up", Usage: "book what a merchant has transferred, and print the balance", Flags: on(number, serialFlag(), fenFlag()),
				Action: withLedger(func(c *cli.Context, b *books) error {
					balance, err := b.operator.TopUp(c.Context, b.who, recharge.MerchantAccount, c.String("number"), c.String("serial"), recharge.Fen(c.Int64("fen")))
					return printBalance(c, balance, err)
				}),
			},
			statusCommand("block", "let nothing be taken from an account", number, func(c *cli.Context, b *books) error {
				return b.operator.SetAccountStatus(c.Context, b.who, recharge.MerchantAccount, c.String("number"), recharge.Blocked)
			}),
			statusCommand("unblock", "open a blocked account again", number, func(c *cli.Context, b *books) error {
				return b.operator.SetAccountStatus(c.Context, b.who, recharge.MerchantAccount, c.String("number"), recharge.Active)
			}),
		},
	}
}

func statusCommand(name, usage string, what cli.Flag, do func(*cli.Context, *books) error) *cli.Command {
	return &cli.Command{Name: name, Usage: usage, Flags: on(what), Action: withLedger(do)}
}

func printBalance(c *cli.Context, balance recharge.Fen, err error) error {
	if err == nil {
		fmt.Fprintln(c.App.Writer, int64(balance))
	}
	return err
}

func listAccounts(c *cli.Context, b *books) error {
	accounts, err := b.ledger.Accounts(c.Context)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c, accounts)
	}
	return table(c, []string{"KIND", "NUMBER", "NAME", "FEN", "STATUS"}, len(accounts), func(i int) []string {
		a := accounts[i]
		return []string{string(a.Kind), a.Number, a.Name, strconv.FormatInt(int64(a.Balance), 10), string(a.Status)}
	})
}

// table prints rows in columns.
func table(c *cli.Context, head []string, rows int, row func(int) []string) error {
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	line := func(cells []string) {
		for i, cell := range cells {
			if i > 0 {
				fmt.Fprint(w, "\t")
			}
			fmt.Fprint(w, cell)
		}
		fmt.Fprintln(w)
	}
	line(head)
	for i := range rows {
		line(row(i))
	}
	return w.Flush()
}

func rechargeCardsCommand() *cli.Command {
	serial := numberFlag("serial", "serial number of the recharge card")
	return &cli.Command{
		Name: "recharge-cards", Usage: "recharge cards 充值卡",
		Subcommands: []*cli.Command{
			{
				Name: "issue", Usage: "make recharge cards; prints serial and password of each, which are kept nowhere else",
				Flags: on(&cli.IntFlag{Name: "count", Required: true, Usage: "how many"},
					fenFlag(), &cli.TimestampFlag{Name: "expires", Layout: time.DateOnly, Required: true, Usage: "last day, as in 2031-12-31"}),
				Action: withLedger(issueRechargeCards),
			},
			{Name: "list", Usage: "list all recharge cards, without their passwords", Flags: on(jsonFlag()), Action: readingLedger(listRechargeCards)},
			statusCommand("block", "let a recharge card not be spent", serial, func(c *cli.Context, b *books) error {
				return b.operator.SetVoucherStatus(c.Context, b.who, c.String("serial"), recharge.Blocked)
			}),
			statusCommand("unblock", "let it be spent again", serial, func(c *cli.Context, b *books) error {
				return b.operator.SetVoucherStatus(c.Context, b.who, c.String("serial"), recharge.Active)
			}),
		},
	}
}

func issueRechargeCards(c *cli.Context, b *books) error {
	day := c.Timestamp("expires")
	expires := time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, b.cfg.Zone())
	issued, err := b.operator.IssueVouchers(c.Context, b.who, recharge.VoucherBatch{
		Count: c.Int("count"), Amount: recharge.Fen(c.Int64("fen")), Expires: expires,
	})
	if err != nil {
		return err
	}
	for _, v := range issued {
		fmt.Fprintf(c.App.Writer, "%s,%s\n", v.Serial, string(v.Password))
	}
	return nil
}

func listRechargeCards(c *cli.Context, b *books) error {
	vouchers, err := b.ledger.Vouchers(c.Context)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c, publicVouchers(vouchers))
	}
	return table(c, []string{"SERIAL", "FEN", "STATUS", "EXPIRES"}, len(vouchers), func(i int) []string {
		v := vouchers[i]
		return []string{v.Serial, strconv.FormatInt(int64(v.Amount), 10), string(v.Status), lastDay(v.Expires, b.cfg.Zone())}
	})
}

// lastDay is the day on which something can be spent for the last time that
// expires at the end of it.
func lastDay(expires int64, zone *time.Location) string {
	return time.UnixMilli(expires - 1).In(zone).Format(time.DateOnly)
}

// A publicVoucher is a recharge card without what could be held against
// guesses of its password.
type publicVoucher struct {
	Serial  string          `json:"serial"`
	Fen     recharge.Fen    `json:"fen"`
	Status  recharge.Status `json:"status"`
	Expires time.Time       `json:"expires"`
}

func publicVouchers(vouchers []recharge.Voucher) []publicVoucher {
	all := []publicVoucher{}
	for _, v := range vouchers {
		all = append(all, publicVoucher{v.Serial, v.Amount, v.Status, time.UnixMilli(v.Expires).UTC()})
	}
	return all
}

func corpCommand() *cli.Command {
	card := numberFlag("card", "card number, 16 digits")
	return &cli.Command{
		Name: "corp", Usage: "corporate cards 企服卡 and their accounts",
		Subcommands: []*cli.Command{
			{Name: "list", Usage: "list all corporate cards", Flags: on(jsonFlag()), Action: readingLedger(listCorporates)},
			{
				Name: "create", Usage: "open the account of a corporate card; its password is read from stdin",
				Flags:  on(card, numberFlag("asn", "application serial number, 16 digits"), &cli.StringFlag{Name: "name", Usage: "of the company"}, passwordFlag()),
				Action: withLedger(createCorporate),
			},
			{
				Name: "top-up", Usage: "book what the company has transferred, and print what may be loaded", Flags: on(card, serialFlag(), fenFlag()),
				Action: withLedger(func(c *cli.Context, b *books) error {
					balance, err := b.operator.TopUp(c.Context, b.who, recharge.CorporateAccount, c.String("card"), c.String("serial"), recharge.Fen(c.Int64("fen")))
					return printBalance(c, balance, err)
				}),
			},
			{
				Name: "set-password", Usage: "give a corporate card another password, read from stdin", Flags: on(card, passwordFlag()),
				Action: withLedger(func(c *cli.Context, b *books) error {
					password, err := readSecret(c, "password-file", "password: ")
					if err != nil {
						return err
					}
					return b.operator.SetCorporatePassword(c.Context, b.who, c.String("card"), recharge.Password(password))
				}),
			},
			statusCommand("block", "let a corporate card load nothing", card, func(c *cli.Context, b *books) error {
				return b.operator.SetAccountStatus(c.Context, b.who, recharge.CorporateAccount, c.String("card"), recharge.Blocked)
			}),
			statusCommand("unblock", "let it load again", card, func(c *cli.Context, b *books) error {
				return b.operator.SetAccountStatus(c.Context, b.who, recharge.CorporateAccount, c.String("card"), recharge.Active)
			}),
		},
	}
}

func createCorporate(c *cli.Context, b *books) error {
	asn, err := hex.DecodeString(c.String("asn"))
	if err != nil || len(asn) != 8 {
		return cmdline.Usagef("--asn has not 16 digits")
	}
	password, err := readSecret(c, "password-file", "password: ")
	if err != nil {
		return err
	}
	return b.operator.CreateCorporate(c.Context, b.who, c.String("card"), mac.Factor(asn), c.String("name"), recharge.Password(password))
}

func listCorporates(c *cli.Context, b *books) error {
	all, err := corporates(c.Context, b.ledger)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c, all)
	}
	return table(c, []string{"CARD", "ASN", "NAME", "FEN", "STATUS"}, len(all), func(i int) []string {
		a := all[i]
		return []string{a.CardNo, a.ASN, a.Name, strconv.FormatInt(int64(a.Balance), 10), string(a.Status)}
	})
}
