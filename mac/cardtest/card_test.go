package cardtest_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/cardtest"
	"pbochsm/mac/lanes"
	"pbochsm/mac/reference"
)

var (
	terminal = mac.TerminalID{0x11, 0x22, 0x33, 0x44, 0x55, 0x66}
	date     = mac.BCDDate{0x20, 0x26, 0x11, 0x23}
	clock    = mac.BCDTime{0x09, 0x15, 0x01}
	asn      = mac.Factor{0x21, 0x50, 0x01, 0x01, 0x86, 0x00, 0x12, 0x34}
)

func key(t *testing.T, digits string) reference.Key {
	t.Helper()
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) != 16 {
		t.Fatalf("%q is no key", digits)
	}
	return reference.Key(b)
}

func issuer(t *testing.T) cardtest.Issuer {
	return cardtest.Issuer{
		Load: key(t, "404142434445464748494A4B4C4D4E4F"), Unload: key(t, "505152535455565758595A5B5C5D5E5F"),
		Purchase: key(t, "606162636465666768696A6B6C6D6E6F"), TAC: key(t, "707172737475767778797A7B7C7D7E7F"),
	}
}

// module is a security module with the issuer's keys, computing with the
// backend that the daemon serves from.
func module(t *testing.T, i cardtest.Issuer) (mac.HSM, mac.Card) {
	t.Helper()
	var entries []keystore.Entry
	for n, k := range map[keystore.Usage]reference.Key{
		keystore.UsageLoad: i.Load, keystore.UsageUnload: i.Unload, keystore.UsagePurchase: i.Purchase, keystore.UsageTAC: i.TAC,
	} {
		entries = append(entries, keystore.Entry{
			Key: keystore.Key{
				Ref: keystore.Ref{Set: 0x01, Usage: n, Version: 0x02, Algorithm: 0x00}, Index: uint16(len(entries) + 1),
				Cipher: keystore.Cipher3DES, Levels: 2, State: keystore.StateActive, KCV: k.KCV(),
			},
			Secret: keystore.Secret(k),
		})
	}
	s, err := keystore.NewSnapshot(keystore.ModeTest, 0, keystore.KCV{}, entries)
	if err != nil {
		t.Fatal(err)
	}
	return mac.NewEngine(keystore.NewLive(s), lanes.New()), mac.Card{
		Key: mac.KeyID{Set: 0x01, Version: 0x02}, Factors: []mac.Factor{{1, 2, 3, 4, 1, 2, 3, 4}, asn},
	}
}

func newCard(i cardtest.Issuer, seed byte) *cardtest.Card {
	return cardtest.New(cardtest.Options{
		Issuer: i, Factors: []mac.Factor{{1, 2, 3, 4, 1, 2, 3, 4}}, ASN: asn, Version: 0x02,
		Rand: rand.NewChaCha8([32]byte{seed}),
	})
}

// load authorises what the card answered.
func load(c mac.Card, a cardtest.Answer, amount mac.Fen, kind mac.TransactionType) mac.Load {
	return mac.Load{
		Card: c, Random: a.Random, Counter: a.Counter, Balance: a.Balance, Amount: amount, Type: kind,
		Terminal: terminal, Date: date, Time: clock, MAC1: a.MAC1,
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// The published walk-through of a load, [BL] of docs/pboc.md, with the card's
// part played by this card; the TAC is that of a real card's log, [CS].
func TestPublishedLoads(t *testing.T) {
	dlk := key(t, "11223344556677888877665544332211")
	c := cardtest.New(cardtest.Options{
		Issuer: cardtest.Issuer{Load: dlk, TAC: dlk}, Own: true, Rand: bytes.NewReader([]byte{0x11, 0x22, 0x33, 0x44}),
	})
	a := must[cardtest.Answer](t)(c.InitLoad(cardtest.ED, 0x1000, mac.TerminalID{0x00, 0x11, 0x22, 0x33, 0x44, 0x55}))
	if a.MAC1 != (mac.MAC{0x29, 0x88, 0xAE, 0x5A}) {
		t.Errorf("MAC1 is %X", a.MAC1)
	}
	if _, err := c.Credit(mac.BCDDate{0x20, 0x11, 0x12, 0x21}, mac.BCDTime{0x21, 0x48, 0x22}, mac.MAC{0x3A, 0x84, 0x5B, 0xF0}); err != nil {
		t.Error(err)
	}
	dtk := key(t, "CAA6025290114BFCC3C9043F70F7A07A")
	c = cardtest.New(cardtest.Options{Issuer: cardtest.Issuer{Load: dlk, TAC: dtk}, Own: true, Rand: bytes.NewReader(make([]byte, 4))})
	where := mac.TerminalID{0, 0, 1, 0, 0, 0x50}
	a = must[cardtest.Answer](t)(c.InitLoad(cardtest.EP, 0x1C37, where))
	// MAC2 is made here by hand: the log tells of the TAC alone.
	session := dlk.SessionKey([8]byte{0, 0, 0, 0, 0, 0, 0x80, 0})
	chain := reference.ChainBlocks(session, reference.Pad([]byte{0, 0, 0x1C, 0x37, 2, 0, 0, 1, 0, 0, 0x50, 0x20, 0x14, 0x08, 0x25, 0x10, 0x31, 0}))
	last := chain[len(chain)-1]
	tac, err := c.Credit(mac.BCDDate{0x20, 0x14, 0x08, 0x25}, mac.BCDTime{0x10, 0x31, 0x00}, mac.MAC(last[:4]))
	if want := (mac.TransactionMAC{0xED, 0x0F, 0x87, 0x55}); tac != want || err != nil || a.Counter != 0 {
		t.Errorf("the TAC is %X (%v), the log has %X", tac, err, want)
	}
}

func TestLoadAndUnloadAgainstTheModule(t *testing.T) {
	hsm, id := module(t, issuer(t))
	c := newCard(issuer(t), 1)
	ctx := context.Background()
	for n, amount := range []mac.Fen{5000, 1, 100000} {
		a := must[cardtest.Answer](t)(c.InitLoad(cardtest.ED, amount, terminal))
		mac2 := must[mac.MAC](t)(mac.AuthorizeLoad(ctx, hsm, load(id, a, amount, mac.TypeLoadED)))
		tac := must[mac.TransactionMAC](t)(c.Credit(date, clock, mac2))
		receipt := mac.LoadTAC{
			Card: id, Balance: c.Balance(cardtest.ED), Counter: a.Counter, Amount: amount, Type: mac.TypeLoadED,
			Terminal: terminal, Date: date, Time: clock, TAC: tac,
		}
		if err := mac.VerifyLoadTAC(ctx, hsm, receipt); err != nil {
			t.Errorf("load %d: %v", n, err)
		}
		receipt.Amount++
		if err := mac.VerifyLoadTAC(ctx, hsm, receipt); !errors.Is(err, mac.ErrTAC) {
			t.Errorf("load %d, another amount: %v", n, err)
		}
	}
	a := must[cardtest.Answer](t)(c.InitUnload(cardtest.ED, 2500, terminal))
	mac2 := must[mac.MAC](t)(mac.AuthorizeUnload(ctx, hsm, mac.Unload{
		Card: id, Random: a.Random, Counter: a.Counter, Balance: a.Balance, Amount: 2500, Terminal: terminal, Date: date, Time: clock, MAC1: a.MAC1,
	}))
	mac3 := must[mac.MAC](t)(c.Debit(date, clock, mac2))
	err := mac.VerifyUnload(ctx, hsm, mac.UnloadProof{
		Card: id, Random: a.Random, Counter: a.Counter, Balance: c.Balance(cardtest.ED), Amount: 2500, Terminal: terminal, Date: date, Time: clock, MAC3: mac3,
	})
	if online, offline := c.Counters(cardtest.ED); err != nil || online != 4 || offline != 0 || c.Balance(cardtest.ED) != 102501 {
		t.Errorf("after the unload: %v, counters %d and %d, balance %d", err, online, offline, c.Balance(cardtest.ED))
	}
}

func TestPurchaseAgainstTheModule(t *testing.T) {
	hsm, id := module(t, issuer(t))
	c := newCard(issuer(t), 2)
	if err := c.Restore(cardtest.State{EP: cardtest.Store{Balance: 1000}}); err != nil {
		t.Fatal(err)
	}
	till := &cardtest.Terminal{Issuer: issuer(t), Factors: []mac.Factor{{1, 2, 3, 4, 1, 2, 3, 4}}, ID: terminal, Serial: 0x00018000}
	ctx := context.Background()
	for range 3 {
		r := must[cardtest.Receipt](t)(c.Spend(cardtest.EP, till, 300, date, clock))
		mac1 := must[mac.MAC](t)(mac.StartPurchase(ctx, hsm, mac.Purchase{
			Card: id, Random: r.Random, Counter: r.Counter, Serial: r.Serial, Amount: 300, Type: mac.TypePurchaseEP, Terminal: terminal, Date: date, Time: clock,
		}))
		if mac1 != r.MAC1 {
			t.Errorf("the module's MAC1 is %X, the terminal's %X", mac1, r.MAC1)
		}
		if err := mac.VerifyPurchase(ctx, hsm, mac.PurchaseProof{Card: id, Random: r.Random, Counter: r.Counter, Serial: r.Serial, Amount: 300, MAC2: r.MAC2}); err != nil {
			t.Error(err)
		}
		if err := mac.VerifyPurchaseTAC(ctx, hsm, mac.PurchaseTAC{
			Card: id, Amount: 300, Type: mac.TypePurchaseEP, Terminal: terminal, Serial: r.Serial, Date: date, Time: clock, TAC: r.TAC,
		}); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.Spend(cardtest.EP, till, 300, date, clock); !errors.Is(err, cardtest.StatusFunds) {
		t.Errorf("spending more than there is: %v", err)
	}
	stranger := *till
	stranger.Issuer.Purchase[0] ^= 0x80
	if _, err := c.Spend(cardtest.EP, &stranger, 1, date, clock); !errors.Is(err, cardtest.StatusMAC) {
		t.Errorf("a terminal of another issuer: %v", err)
	}
	if _, offline := c.Counters(cardtest.EP); offline != 3 || c.Balance(cardtest.EP) != 100 {
		t.Errorf("offline counter %d, balance %d", offline, c.Balance(cardtest.EP))
	}
}
