package transcript_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/cardtest"
	"pbochsm/mac/cardtest/apdu"
	"pbochsm/mac/reference"
	"pbochsm/mac/transcript"
)

func read(t *testing.T, text string) *transcript.Transcript {
	t.Helper()
	got, err := transcript.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// Each command is told by its name, with the values that an operation needs.
func TestRead(t *testing.T) {
	for _, c := range []struct {
		name, text string
		names      []string
		values     map[string]string
	}{
		{
			"an answer to INITIALIZE alone", "00000064000001006AE6783F5FB2B0B7",
			[]string{"answer to INITIALIZE FOR LOAD, INITIALIZE FOR UNLOAD"},
			map[string]string{"balance": "00000064", "online-counter": "0000", "key-version": "01", "algorithm": "00", "random": "6AE6783F", "mac1": "5FB2B0B7"},
		},
		{
			"the same with its status word", "00000064 0000 01 00 6AE6783F 5FB2B0B7 9000",
			[]string{"answer to INITIALIZE FOR LOAD, INITIALIZE FOR UNLOAD"},
			map[string]string{"balance": "00000064", "online-counter": "0000", "key-version": "01", "algorithm": "00", "random": "6AE6783F", "mac1": "5FB2B0B7"},
		},
		{
			"a purchase", "> 80500102 0B 01 0000012C 112233445566 0F\n< 000003E8 0004 000000 02 00 A1A2A3A4 9000\n" +
				"> 80540100 0F 00018001 20261128 091501 01020304 08\n< 0A0B0C0D 1A1B1C1D 9000",
			[]string{"INITIALIZE FOR PURCHASE", "DEBIT FOR PURCHASE"},
			map[string]string{
				"amount": "0000012C", "terminal": "112233445566", "balance": "000003E8", "offline-counter": "0004", "key-version": "02", "algorithm": "00", "random": "A1A2A3A4",
				"type": "06", "terminal-serial": "00018001", "date": "20261128", "time": "091501", "mac1": "01020304", "tac": "0A0B0C0D", "mac2": "1A1B1C1D", "new-balance": "000002BC",
			},
		},
		{
			"an overdraft update, without signs", "805004010701112233445566\n00002710000400100001 00A1A2A3A401020304\n80580000 0E 002000 20261128 091501 05060708 04\n0A0B0C0D",
			[]string{"INITIALIZE FOR UPDATE", "UPDATE OVERDRAW LIMIT"},
			map[string]string{
				"terminal": "112233445566", "balance": "00002710", "online-counter": "0004", "limit": "001000", "key-version": "01", "algorithm": "00", "random": "A1A2A3A4", "mac1": "01020304",
				"type": "07", "new-limit": "002000", "date": "20261128", "time": "091501", "mac2": "05060708", "tac": "0A0B0C0D", "new-balance": "00003710",
			},
		},
		{
			"a grey lock with its debit", ">E07A08020701112233445566\n<000003E80004000000 0200A1A2A3A49000\n>E07C080013 00018001 B1B2B3B4 20261128 091501 01020304 08\n<0A0B0C0D1A1B1C1D9000\n" +
				">E07E0802 1B 00000064 0004 112233445566 00018001 20261128 092000 05060708\n<2A2B2C2D9000",
			[]string{"INITIALIZE FOR GREY LOCK", "GREY LOCK", "DEBIT FOR UNLOCK"},
			map[string]string{
				"terminal": "112233445566", "balance": "000003E8", "offline-counter": "0004", "key-version": "02", "algorithm": "00", "random": "A1A2A3A4", "terminal-random": "B1B2B3B4",
				"type": "94", "terminal-serial": "00018001", "date": "20261128", "time": "092000", "mac1": "01020304", "mac2": "1A1B1C1D", "gmac": "05060708", "amount": "00000064",
				"tac": "2A2B2C2D", "new-balance": "00000384",
			},
		},
		{
			"an online unlock", ">E07A09010701112233445566\n<000003E8 0004 0107 02 00 A1A2A3A4 01020304 9000\n>E07E09000F 00000064 20261128 091501 05060708\n<1A1B1C1D9000",
			[]string{"INITIALIZE FOR UNLOCK", "UNLOCK"},
			map[string]string{
				"terminal": "112233445566", "balance": "000003E8", "offline-counter": "0004", "online-counter": "0107", "key-version": "02", "algorithm": "00", "random": "A1A2A3A4",
				"type": "95", "mac1": "01020304", "amount": "00000064", "date": "20261128", "time": "091501", "mac2": "05060708", "mac3": "1A1B1C1D", "new-balance": "00000384",
			},
		},
		{
			"the serial number, an authentication code and a challenge", "00B0950A0A\n00002150010186001234 9000\n80CA000009\n625001861234010007 9000\n0084000008\n1122334455667788 9000",
			[]string{"READ BINARY", "GET DATA", "GET CHALLENGE"},
			map[string]string{"asn": "00002150010186001234", "auth-code": "625001861234010007", "challenge": "1122334455667788"},
		},
		{
			"what is of another moment fills in nothing", ">805C000204\n<000003E89000\n>00B201C417\n<0008000000000003E803112233445566202611280915019000",
			[]string{"GET BALANCE", "READ RECORD"}, map[string]string{},
		},
		{
			"a transaction takes the place of the one before", "8050000201\n80500002 0B 01 00001000 001122334455\n00000064000001006AE6783F5FB2B0B7\n80520000 0B 20261128 091501 A18D0070 04\n9302\n80500501 0B 01 00000001 001122334455\n6985",
			[]string{"unknown command", "INITIALIZE FOR LOAD", "CREDIT FOR LOAD", "INITIALIZE FOR UNLOAD"},
			map[string]string{"amount": "00000001", "terminal": "001122334455", "type": "03"},
		},
	} {
		got := read(t, c.text)
		var names []string
		for _, e := range got.Exchanges {
			names = append(names, e.Name)
		}
		if fmt.Sprint(names) != fmt.Sprint(c.names) {
			t.Errorf("%s: told as %q, want %q", c.name, names, c.names)
		}
		if !maps.Equal(got.Values, c.values) {
			t.Errorf("%s: values %v\nwant %v", c.name, got.Values, c.values)
		}
	}
}

func TestRefused(t *testing.T) {
	for text, want := range map[string]error{
		"": transcript.ErrEmpty, "# nothing\n\n": transcript.ErrEmpty, "nonsense": transcript.ErrLine, "> 8": transcript.ErrLine, ">": transcript.ErrLine,
		strings.Repeat("00", 5000): transcript.ErrLong, strings.Repeat("9000\n", 5000): transcript.ErrLong,
	} {
		if _, err := transcript.Read(strings.NewReader(text)); !errors.Is(err, want) {
			t.Errorf("%.20q: %v, want %v", text, err, want)
		}
	}
}

// A PIN is not repeated.
func TestPINIsNotShown(t *testing.T) {
	for _, command := range []string{"0020000003123456", "805E010107123456FF654321", "805E00010712345601020304"} {
		if text := fmt.Sprintf("%+v", read(t, command)); strings.Contains(text, "123456") {
			t.Errorf("%s: %s", command, text)
		}
	}
}

// What the simulated card says, which states the layouts for itself, makes the
// operations that the security module accepts.
func TestSimulatedCard(t *testing.T) {
	asn := mac.Factor{0x21, 0x50, 0x01, 0x01, 0x86, 0x00, 0x12, 0x34}
	issuer := cardtest.Issuer{Load: reference.Key{1}, Unload: reference.Key{2}, Purchase: reference.Key{3}, TAC: reference.Key{4}}
	card := apdu.New(cardtest.New(cardtest.Options{Issuer: issuer, ASN: asn, Version: 2, Rand: rand.NewChaCha8([32]byte{1})}), apdu.Public{})
	hsm := module(t, issuer)
	var said strings.Builder
	say := func(command string) []byte {
		b, err := hex.DecodeString(strings.ReplaceAll(command, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := card.Transmit(b)
		if err != nil || answer[len(answer)-2] != 0x90 {
			t.Fatalf("%s: %X, %v", command, answer, err)
		}
		fmt.Fprintf(&said, "%X\n%X\n", b, answer)
		return answer
	}
	ask := func(kind mac.Kind, date bool) [4]byte {
		if date { // which the host adds
			fmt.Fprintln(&said, "> 80520000 0B 20261128 091501 00000000 04")
		}
		ops := []mac.Op{operation(t, kind, read(t, said.String()))}
		if err := hsm.Do(context.Background(), ops); err != nil || ops[0].Err != nil {
			t.Fatalf("%s: %v, %v", kind, err, ops[0].Err)
		}
		return ops[0].Answer
	}
	say("00A40000 02 3F01")
	say("00B0950000")
	say("80500001 0B 01 00001388 112233445566 10")
	mac2 := ask(mac.KindLoad, true)
	say(fmt.Sprintf("80520000 0B 20261128 091501 %X 04", mac2))
	ask(mac.KindLoadTAC, false)
	say("80500101 0B 01 00000064 112233445566 0F")
	fmt.Fprintln(&said, "> 80540100 0F 00018001 20261128 091501 00000000 08")
	mac1 := ask(mac.KindPurchase, false)
	say(fmt.Sprintf("80540100 0F 00018001 20261128 091501 %X 08", mac1))
	ask(mac.KindPurchaseMAC2, false)
	ask(mac.KindPurchaseTAC, false)
	say("80500501 0B 01 00000064 112233445566 10")
	mac2 = ask(mac.KindUnload, true)
	say(fmt.Sprintf("80540300 0B 20261128 091501 %X 04", mac2))
	ask(mac.KindUnloadMAC3, false)
}

func module(t *testing.T, issuer cardtest.Issuer) mac.HSM {
	t.Helper()
	var entries []keystore.Entry
	for usage, k := range map[keystore.Usage]reference.Key{
		keystore.UsageLoad: issuer.Load, keystore.UsageUnload: issuer.Unload, keystore.UsagePurchase: issuer.Purchase, keystore.UsageTAC: issuer.TAC,
	} {
		entries = append(entries, keystore.Entry{
			Key: keystore.Key{
				Ref: keystore.Ref{Set: 1, Usage: usage, Version: 2}, Index: uint16(len(entries) + 1),
				Cipher: keystore.Cipher3DES, Levels: 1, State: keystore.StateActive,
			},
			Secret: keystore.Secret(k),
		})
	}
	s, err := keystore.NewSnapshot(keystore.ModeTest, 1, keystore.KCV{}, entries)
	if err != nil {
		t.Fatal(err)
	}
	return mac.NewEngine(keystore.NewLive(s), reference.Backend{})
}

// operation fills an operation in from what was said.
func operation(t *testing.T, kind mac.Kind, said *transcript.Transcript) mac.Op {
	t.Helper()
	id, known := said.Key(1)
	factor, alsoKnown := said.Factor()
	if !known || !alsoKnown {
		t.Fatalf("%s: no key or no factor in %v", kind, said.Values)
	}
	op := mac.Op{Kind: kind, Key: id, Levels: 1, Factors: [keystore.MaxLevels]mac.Factor{factor}}
	for _, f := range kind.Inputs() {
		v, known := said.Field(f)
		if !known && !f.Counted() {
			t.Fatalf("%s: no %s in %v", kind, f, said.Values)
		}
		copy(f.Bytes(&op), v)
	}
	return op
}

// FuzzRead holds that nothing panics and that no byte is left out: the pieces of
// a command and of an answer are the whole line.
func FuzzRead(f *testing.F) {
	for _, text := range []string{"80500002 0B 01 00001000 001122334455 10\n00000064000001006AE6783F5FB2B0B79000", "> 00B0957F00\n< 00", "0084000008\n11", "E07E080200", "00B0950A0A\n0000", "00\n01", "9000"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := transcript.Read(strings.NewReader(text))
		if err != nil {
			return
		}
		var told, said strings.Builder
		for _, e := range got.Exchanges {
			for _, p := range append(e.Command, e.Answer...) {
				if p.Bytes == "(hidden)" {
					return
				}
				told.WriteString(p.Bytes)
			}
		}
		for line := range strings.Lines(text) {
			line, _, _ = strings.Cut(line, "#")
			for _, r := range strings.ToUpper(line) {
				if strings.ContainsRune("0123456789ABCDEF", r) {
					said.WriteRune(r)
				}
			}
		}
		if told.String() != said.String() {
			t.Errorf("%q is told as %s", text, told.String())
		}
	})
}
