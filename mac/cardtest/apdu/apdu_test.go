package apdu_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/cardtest"
	"pbochsm/mac/cardtest/apdu"
	"pbochsm/mac/lanes"
	"pbochsm/mac/reference"
)

var (
	terminal = mac.TerminalID{0x11, 0x22, 0x33, 0x44, 0x55, 0x66}
	date     = mac.BCDDate{0x20, 0x26, 0x11, 0x28}
	clock    = mac.BCDTime{0x09, 0x15, 0x01}
	asn      = mac.Factor{0x21, 0x50, 0x01, 0x01, 0x86, 0x00, 0x12, 0x34}
	id       = mac.Card{Key: mac.KeyID{Set: 1, Version: 2}, Factors: []mac.Factor{asn}}
)

func key(first byte) (k reference.Key) {
	for i := range k {
		k[i] = first + byte(i)
	}
	return k
}

var issuer = cardtest.Issuer{Load: key(0x40), Unload: key(0x50), Purchase: key(0x60), TAC: key(0x70)}

// module is the host: it has the issuer's keys.
func module(t *testing.T) mac.HSM {
	t.Helper()
	var entries []keystore.Entry
	for usage, k := range map[keystore.Usage]reference.Key{
		keystore.UsageLoad: issuer.Load, keystore.UsageUnload: issuer.Unload, keystore.UsagePurchase: issuer.Purchase, keystore.UsageTAC: issuer.TAC,
	} {
		entries = append(entries, keystore.Entry{
			Key: keystore.Key{
				Ref: keystore.Ref{Set: 1, Usage: usage, Version: 2}, Index: uint16(len(entries) + 1),
				Cipher: keystore.Cipher3DES, Levels: 1, State: keystore.StateActive, KCV: k.KCV(),
			},
			Secret: keystore.Secret(k),
		})
	}
	s, err := keystore.NewSnapshot(keystore.ModeTest, 0, keystore.KCV{}, entries)
	if err != nil {
		t.Fatal(err)
	}
	return mac.NewEngine(keystore.NewLive(s), lanes.New())
}

func newCard(t *testing.T, s cardtest.State) (*apdu.Card, *cardtest.Card) {
	t.Helper()
	purse := cardtest.New(cardtest.Options{Issuer: issuer, ASN: asn, Version: 2, Rand: rand.NewChaCha8([32]byte{7})})
	if err := purse.Restore(s); err != nil {
		t.Fatal(err)
	}
	return apdu.New(purse, apdu.Public{Issuer: [8]byte{0x62}}), purse
}

// send gives the answer in upper case, and "torn" where there is none.
func send(t *testing.T, c *apdu.Card, command string) string {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(command, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.Transmit(b)
	if errors.Is(err, cardtest.ErrTorn) {
		return "torn"
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.ToUpper(hex.EncodeToString(answer))
}

// data is the answer to a command that succeeds, without its status word.
func data(t *testing.T, c *apdu.Card, command string, size int) []byte {
	t.Helper()
	answer := send(t, c, command)
	b, _ := hex.DecodeString(strings.TrimSuffix(answer, "9000"))
	if !strings.HasSuffix(answer, "9000") || len(b) != size {
		t.Fatalf("%s answers %s, not %d bytes and 9000", command, answer, size)
	}
	return b
}

const choose = "00A40400 09 A00000000386980701 00"

func hexOf(parts ...[]byte) string { return hex.EncodeToString(bytes.Join(parts, nil)) }

var moment = hexOf(date[:], clock[:])

func TestLoadAndUnload(t *testing.T) {
	hsm, ctx := module(t), context.Background()
	c, purse := newCard(t, cardtest.State{ED: cardtest.Store{Balance: 1000, Online: 6}})
	data(t, c, choose, 15)
	a := data(t, c, "80500001 0B 01 00001388 112233445566 10", 16)
	if hexOf(a[:8]) != "000003e800060200" {
		t.Errorf("balance, counter, version, algorithm: %X", a[:8])
	}
	mac2, err := mac.AuthorizeLoad(ctx, hsm, mac.Load{
		Card: id, Random: [4]byte(a[8:12]), Counter: 6, Balance: 1000, Amount: 5000, Type: mac.TypeLoadED,
		Terminal: terminal, Date: date, Time: clock, MAC1: mac.MAC(a[12:]),
	})
	if err != nil {
		t.Fatal(err)
	}
	tac := data(t, c, "80520000 0B"+moment+hexOf(mac2[:])+"04", 4)
	if err := mac.VerifyLoadTAC(ctx, hsm, mac.LoadTAC{
		Card: id, Balance: 6000, Counter: 6, Amount: 5000, Type: mac.TypeLoadED, Terminal: terminal, Date: date, Time: clock, TAC: mac.TransactionMAC(tac),
	}); err != nil {
		t.Error(err)
	}
	if proof := data(t, c, "805A0001 02 0006 08", 8); hexOf(proof) != hexOf(mac2[:], tac) {
		t.Errorf("the proof is %X", proof)
	}
	a = data(t, c, "80500501 0B 01 000003E8 112233445566 10", 16)
	mac2, err = mac.AuthorizeUnload(ctx, hsm, mac.Unload{
		Card: id, Random: [4]byte(a[8:12]), Counter: 7, Balance: 6000, Amount: 1000, Terminal: terminal, Date: date, Time: clock, MAC1: mac.MAC(a[12:]),
	})
	if err != nil {
		t.Fatal(err)
	}
	mac3 := data(t, c, "80540300 0B"+moment+hexOf(mac2[:])+"04", 4)
	if err := mac.VerifyUnload(ctx, hsm, mac.UnloadProof{
		Card: id, Random: [4]byte(a[8:12]), Counter: 7, Balance: 5000, Amount: 1000, Terminal: terminal, Date: date, Time: clock, MAC3: mac.MAC(mac3),
	}); err != nil {
		t.Error(err)
	}
	if got := data(t, c, "805C0001 04", 4); binary.BigEndian.Uint32(got) != 5000 || purse.Balance(cardtest.ED) != 5000 {
		t.Errorf("balance %X", got)
	}
	// The youngest record first, with the counter after its increment.
	if got := hexOf(data(t, c, "00B201C4 17", 23)); got != "0008"+"000000"+"000003e8"+"03"+hexOf(terminal[:])+moment {
		t.Errorf("record 1 is %s", got)
	}
	if got := hexOf(data(t, c, "00B202C4 17", 23)); got[:4] != "0007" {
		t.Errorf("record 2 is %s", got)
	}
}

func TestPurchaseAndWithdraw(t *testing.T) {
	hsm, ctx := module(t), context.Background()
	for _, kind := range []struct {
		init string
		kind mac.TransactionType
	}{{"80500102", mac.TypePurchaseEP}, {"80500101", mac.TypePurchaseED}, {"80500201", mac.TypeWithdraw}} {
		c, _ := newCard(t, cardtest.State{ED: cardtest.Store{Balance: 1000, Offline: 4}, EP: cardtest.Store{Balance: 1000, Offline: 4}})
		data(t, c, choose, 15)
		o := data(t, c, kind.init+"0B 01 0000012C 112233445566 0F", 15)
		if hexOf(o[:11]) != "000003e8"+"0004"+"000000"+"0200" {
			t.Errorf("the offer begins with %X", o[:11])
		}
		purchase := mac.Purchase{
			Card: id, Random: [4]byte(o[11:]), Counter: 4, Serial: 0x00018001, Amount: 300, Type: kind.kind, Terminal: terminal, Date: date, Time: clock,
		}
		mac1, err := mac.StartPurchase(ctx, hsm, purchase)
		if err != nil {
			t.Fatal(err)
		}
		b := data(t, c, "80540100 0F 00018001"+moment+hexOf(mac1[:])+"08", 8)
		if err := mac.VerifyPurchase(ctx, hsm, mac.PurchaseProof{Card: id, Random: purchase.Random, Counter: 4, Serial: 0x00018001, Amount: 300, MAC2: mac.MAC(b[4:])}); err != nil {
			t.Error(err)
		}
		if err := mac.VerifyPurchaseTAC(ctx, hsm, mac.PurchaseTAC{
			Card: id, Amount: 300, Type: kind.kind, Terminal: terminal, Serial: 0x00018001, Date: date, Time: clock, TAC: mac.TransactionMAC(b[:4]),
		}); err != nil {
			t.Error(err)
		}
	}
}

func TestStatusWords(t *testing.T) {
	c, _ := newCard(t, cardtest.State{
		ED: cardtest.Store{Balance: 100, Online: 0xFFFF}, EP: cardtest.Store{Balance: 100, Offline: 0xFFFF},
	})
	const init = "80500002 0B 01 00000064 112233445566 10"
	for _, step := range []struct{ command, want string }{
		{"805C0002 04", "6985"}, // not in the purse application yet
		{"00A40000 02 0015", "6A82"},
		{"00A40400 09 A00000000386980702 00", "6A82"},
		{"00A40400 0E 315041592E5359532E4444463031 00", "6F12840E315041592E5359532E4444463031A5009000"},
		{choose, "6F0D8409A00000000386980701A5009000"},
		{"00A40000 02 3F00", ""},
		{"00A40000 02 3F01", ""},
		{"00A40000 02 0015", "9000"},
		{"00B00000 08", "62000000000000009000"},
		{"00B0950A 0A", "000021500101860012349000"},
		{"00B0951E 01", "6B00"},
		{"00B09400 01", "6A82"},
		{"00B0D500 01", "6A86"},
		{"00B201C4 17", "6A83"},
		{"00B201BD 17", "6A86"},
		{"805C0003 04", "6A86"},
		{"805C0002 02", "6C04"},
		{"805C0002", "000000649000"},
		{"805C0002 01 00", "6700"},
		{"80520000 0B 20261128091501 00000000 04", "6901"},
		{"80540100 0F 00000001 20261128091501 00000000 08", "6901"},
		{init, ""},
		{"80540100 0F 00000001 20261128091501 00000000 08", "6901"}, // a load is no purchase
		{init, ""},
		{"80520000 0B 2026112809150A 00000000 04", "6A80"},
		{"80520000 0B 20261128091501 00000000 04", "9302"},
		{"80520000 0B 20261128091501 00000000 04", "6901"}, // the session is over
		{"80520001 0B 20261128091501 00000000 04", "6A86"},
		{"80500001 0B 01 00000064 112233445566 10", "9402"},
		{"80500102 0B 01 00000064 112233445566 0F", "9402"},
		{"80500101 0B 01 00000065 112233445566 0F", "9401"},
		{"80500202 0B 01 00000001 112233445566 0F", "6A86"}, // a purse gives no cash
		{"80500502 0B 01 00000001 112233445566 10", "6985"},
		{"80500402 0B 01 00000001 112233445566 10", "6A86"},
		{"80500003 0B 01 00000001 112233445566 10", "6A86"},
		{"80500002 0A 01 00000001 1122334455 10", "6700"},
		{"80540300 0F 00000001 20261128091501 00000000 08", "6700"},
		{"805A0002 02 0000 08", "9406"},
		{"805A0102 02 0000 08", "6A86"},
		{"80FF0000", "6D00"},
		{"90500000", "6E00"},
		{"8050", "6700"},
		{"80500002 FF 00", "6700"},
	} {
		got := send(t, c, step.command)
		if step.want == "" {
			if !strings.HasSuffix(got, "9000") {
				t.Errorf("%s answers %s", step.command, got)
			}
			continue
		}
		if got != step.want {
			t.Errorf("%s answers %s, want %s", step.command, got, step.want)
		}
	}
}

// A tear takes the answer and the session; whether the money moved depends on
// when it came.
func TestTear(t *testing.T) {
	for _, tear := range []cardtest.Tear{cardtest.TearBefore, cardtest.TearAfter} {
		c, purse := newCard(t, cardtest.State{})
		data(t, c, choose, 15)
		a := data(t, c, "80500002 0B 01 00000064 112233445566 10", 16)
		mac2, err := mac.AuthorizeLoad(context.Background(), module(t), mac.Load{
			Card: id, Random: [4]byte(a[8:12]), Amount: 100, Type: mac.TypeLoadEP, Terminal: terminal, Date: date, Time: clock, MAC1: mac.MAC(a[12:]),
		})
		if err != nil {
			t.Fatal(err)
		}
		purse.TearNext(tear)
		credit := "80520000 0B" + moment + hexOf(mac2[:]) + "04"
		if got := send(t, c, credit); got != "torn" {
			t.Errorf("%d: answers %s", tear, got)
		}
		if got := send(t, c, credit); got != "6985" {
			t.Errorf("%d: after the tear the card answers %s", tear, got)
		}
		want := map[cardtest.Tear]mac.Fen{cardtest.TearBefore: 0, cardtest.TearAfter: 100}[tear]
		if purse.Balance(cardtest.EP) != want {
			t.Errorf("%d: balance %d, want %d", tear, purse.Balance(cardtest.EP), want)
		}
		data(t, c, choose, 15)
		if got := send(t, c, "805A0002 02 0000 08"); (len(got) == 20) != (want == 100) {
			t.Errorf("%d: the proof is %s", tear, got)
		}
	}
}

// Whatever comes, the card answers with a status word, and its money stays
// where it is without a right MAC2.
func FuzzTransmit(f *testing.F) {
	for _, s := range []string{choose, "80500002 0B 01 00000064 112233445566 10", "00B0950000", "00B201C417", "80520000 0B 20261128091501 00000000 04"} {
		b, _ := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
		f.Add(b, b)
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		c, purse := newCard(t, cardtest.State{EP: cardtest.Store{Balance: 5}})
		send(t, c, choose)
		for _, command := range [][]byte{first, second} {
			if answer, err := c.Transmit(command); err != nil || len(answer) < 2 || len(answer) > 258 {
				t.Fatalf("%X answers %X, %v", command, answer, err)
			}
		}
		if purse.Balance(cardtest.EP) != 5 {
			t.Fatalf("balance %d", purse.Balance(cardtest.EP))
		}
	})
}
