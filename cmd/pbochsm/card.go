package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/cardtest"
	"pbochsm/mac/cardtest/apdu"
	"pbochsm/mac/reference"
)

func cardCommand() *cli.Command {
	return &cli.Command{
		Name:  "card",
		Usage: "a simulated purse card that speaks APDUs",
		Subcommands: []*cli.Command{
			{
				Name:      "apdu",
				Usage:     "give the card commands, and print its answers",
				ArgsUsage: "[APDU...]",
				Description: "Commands are hexadecimal, from the arguments or, without any, a line each from stdin. Besides, a line\n" +
					"may say \"reset\", or \"tear before\" or \"tear after\": the next command is cut off before or after it took\n" +
					"effect, and answered with \"torn\". What follows a # is a comment.",
				Flags:  cardFlags(),
				Action: cardAPDU,
			},
			{
				Name:        "serve",
				Usage:       "let programs use the card over a TCP socket, a line for each command",
				Description: "The lines are those of \"pbochsm card apdu\". One connection at a time has the card; it begins with a reset.",
				Flags: append(cardFlags(),
					&cli.StringFlag{Name: "listen", Value: "127.0.0.1:1550", Usage: "loopback address; port 0 takes a free one"}),
				Action: cardServe,
			},
			{
				Name:        "vpcd",
				Usage:       "put the card into the virtual reader of vsmartcard-vpcd, for PC/SC programs",
				Description: "Waits for the reader and comes back to it when it goes away.",
				Flags: append(cardFlags(),
					&cli.StringFlag{Name: "addr", Value: "127.0.0.1:35963", Usage: "where the reader waits for a card"}),
				Action: cardVPCD,
			},
		},
	}
}

// cardFlags say which card it is.
func cardFlags() []cli.Flag {
	return append(storeFlags(),
		&cli.StringFlag{Name: "state", TakesFile: true, Usage: "file that keeps the card's memory between runs"},
		&cli.StringFlag{Name: "set", Value: "A1", Usage: "key set of the card, two hex digits"},
		&cli.StringFlag{Name: "version", Value: "01", Usage: "key version 密钥版本"},
		&cli.StringFlag{Name: "algorithm", Value: "00", Usage: "algorithm identifier 算法标识"},
		&cli.StringSliceFlag{Name: "factor", Usage: "outer factor 分散因子, 16 hex digits; repeat, outermost authority first"},
		&cli.StringFlag{Name: "asn", Value: "2150010186001234", Usage: "application serial number 应用序列号, rightmost 16 digits"},
		&cli.UintFlag{Name: "balance", Usage: "fen in the purse 电子钱包 of a new card"},
		&cli.UintFlag{Name: "deposit", Usage: "fen in the deposit 电子存折 of a new card"},
		&cli.StringFlag{Name: "auth-code", Value: "621112131415161718", Usage: "authentication code 安全认证识别码, where the profile of the set wants one"},
		&cli.Uint64Flag{Name: "seed", Usage: "random numbers that repeat, from this seed"},
	)
}

// openCard makes the card of the flags, with the memory of --state.
func openCard(c *cli.Context) (*deckCard, error) {
	o, err := cardOptions(c)
	if err != nil {
		return nil, err
	}
	purse := cardtest.New(o)
	d := &deckCard{purse: purse, file: c.String("state")}
	public := apdu.Public{
		Issuer: [8]byte{0x62, 0x00}, Start: mac.BCDDate{0x20, 0x20, 0x01, 0x01}, Expires: mac.BCDDate{0x20, 0x99, 0x12, 0x31},
	}
	d.card = apdu.New(purse, public)
	found, err := d.recall()
	if err != nil || found {
		return d, err
	}
	err = purse.Restore(cardtest.State{
		ED: cardtest.Store{Balance: mac.Fen(min(c.Uint("deposit"), 1<<32-1))},
		EP: cardtest.Store{Balance: mac.Fen(min(c.Uint("balance"), 1<<32-1))},
	})
	if err != nil {
		return nil, cmdline.Usage(err)
	}
	return d, nil
}

// cardOptions reads who the card is and takes its keys from the store, or from
// the published ones.
func cardOptions(c *cli.Context) (o cardtest.Options, err error) {
	id := mac.KeyID{}
	for _, part := range []struct {
		name string
		to   *byte
	}{{"set", &id.Set}, {"version", &id.Version}, {"algorithm", &id.Algorithm}} {
		if *part.to, err = parseByte(c.String(part.name)); err != nil {
			return o, cmdline.Usage(fmt.Errorf("--%s: %w", part.name, err))
		}
	}
	for _, text := range append(c.StringSlice("factor"), c.String("asn")) {
		var f mac.Factor
		if !digitsInto(f[:], text) {
			return o, cmdline.Usagef("factor %q: want 16 hex digits", text)
		}
		o.Factors = append(o.Factors, f)
	}
	last := len(o.Factors) - 1
	o.ASN, o.Factors = o.Factors[last], o.Factors[:last]
	o.Version, o.Algorithm, o.Rand = id.Version, id.Algorithm, random
	if c.IsSet("seed") {
		o.Rand = seeded(c.Uint64("seed"))
	}
	o.PIN = []byte{0x12, 0x34, 0x56}
	if !digitsInto(o.AuthCode[:], c.String("auth-code")) {
		return o, cmdline.Usagef("--auth-code: want %d hex digits", 2*len(o.AuthCode))
	}
	live, err := localKeys(c)
	if err != nil {
		return o, err
	}
	keys := live.Acquire()
	defer keys.Release()
	if keys.Mode() != keystore.ModeTest {
		return o, cmdline.Usagef("a simulated card takes the keys of a test store only")
	}
	o.Profile = *keys.Profile(id.Set)
	o.Own, err = issuerKeys(keys, id, len(o.Factors)+1, &o.Issuer)
	return o, err
}

// digitsInto fills to from exactly as many hexadecimal digits as it has room for.
func digitsInto(to []byte, digits string) bool {
	if len(digits) != hex.EncodedLen(len(to)) {
		return false
	}
	_, err := hex.Decode(to, []byte(digits))
	return err == nil
}

// seeded gives bytes that anybody can foretell: for a card of test keys.
func seeded(seed uint64) io.Reader {
	var s [32]byte
	for i := range 8 {
		s[i] = byte(seed >> (8 * i))
	}
	return rand.NewChaCha8(s)
}

// transactionRoles are the roles whose keys every purse card has. Without one of
// the others it answers what takes that key with 9403.
var transactionRoles = []keystore.Usage{keystore.UsageLoad, keystore.UsageUnload, keystore.UsagePurchase, keystore.UsageTAC}

// issuerKeys finds the keys of a card, and tells whether they are the card's own
// already.
func issuerKeys(keys *keystore.Snapshot, id mac.KeyID, levels int, to *cardtest.Issuer) (own bool, err error) {
	for _, usage := range cardtest.Usages() {
		ref := keystore.Ref{Set: id.Set, Usage: usage, Version: id.Version, Algorithm: id.Algorithm}
		h, err := keys.Find(ref)
		if err != nil && !slices.Contains(transactionRoles, usage) {
			continue
		}
		if err != nil {
			return false, fmt.Errorf("a card needs the key %s: %w", ref, err)
		}
		if keys.Key(h).Home.InToken() {
			return false, cmdline.Usagef("the key %s lives in a token, which does not give it away", ref)
		}
		if keys.Key(h).Cipher != keystore.Cipher3DES {
			return false, cmdline.Usagef("the key %s is of another cipher than 3des, the only one that the simulated card has", ref)
		}
		own = keys.Key(h).Levels == 0
		if n := int(keys.Key(h).Levels); !own && n != levels {
			return false, cmdline.Usagef("the key %s has %d levels: want %d times --factor besides --asn", ref, n, n-1)
		}
		*to.Key(usage) = reference.Key(*keys.Secret(h))
	}
	return own, nil
}
