package apdu_test

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
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

// wholeIssuer has a key for every role, of whatever version.
func wholeIssuer(version byte) (i cardtest.Issuer) {
	for n, u := range cardtest.Usages() {
		*i.Key(u) = key(0x10*byte(n+1) + 7*version)
	}
	return i
}

// An estate is a card in a reader, and the module of its issuer, which has the
// card's keys as version 2, and others as version 3.
type estate struct {
	*testing.T
	hsm   mac.HSM
	card  *apdu.Card
	purse *cardtest.Card
}

// newEstate has both read what schemes differ in as one scheme does.
func newEstate(t *testing.T, scheme string, s cardtest.State) *estate {
	t.Helper()
	profile, ok := keystore.SchemeNamed(scheme, 1)
	if !ok {
		t.Fatalf("no scheme %s", scheme)
	}
	var entries []keystore.Entry
	for _, version := range []byte{2, 3} {
		i := wholeIssuer(version)
		for _, u := range cardtest.Usages() {
			entries = append(entries, keystore.Entry{
				Key: keystore.Key{
					Ref: keystore.Ref{Set: 1, Usage: u, Version: version}, Index: uint16(len(entries) + 1),
					Cipher: keystore.Cipher3DES, Levels: 1, State: keystore.StateActive,
				},
				Secret: keystore.Secret(*i.Key(u)),
			})
		}
	}
	snapshot, err := keystore.NewSnapshot(keystore.ModeTest, 0, keystore.KCV{}, entries, profile)
	if err != nil {
		t.Fatal(err)
	}
	purse := cardtest.New(cardtest.Options{
		Issuer: wholeIssuer(2), ASN: asn, Version: 2, Rand: rand.NewChaCha8([32]byte{7}),
		Profile: profile, PIN: []byte{0x12, 0x34, 0x56}, AuthCode: cardtest.AuthCode{0x62, 8: 0x18},
	})
	if err := purse.Restore(s); err != nil {
		t.Fatal(err)
	}
	e := &estate{t, mac.NewEngine(keystore.NewLive(snapshot), lanes.New()), apdu.New(purse, apdu.Public{}), purse}
	data(t, e.card, choose, 15)
	return e
}

// says sends a command and compares the answer.
func (e *estate) says(command, want string) {
	e.Helper()
	if got := send(e.T, e.card, command); got != want {
		e.Errorf("%s answers %s, want %s", command, got, want)
	}
}

// ask has the module do something about the card; the fields are pairs of a
// field and its digits.
func (e *estate) ask(k mac.Kind, fields map[mac.Field]string) *mac.Op {
	e.Helper()
	op := mac.Op{Kind: k, Levels: 1, Key: id.Key}
	op.Factors[0] = asn
	for f, digits := range fields {
		value, err := hex.DecodeString(digits)
		if err != nil {
			e.Fatal(err)
		}
		f.SetLen(&op, len(value))
		copy(f.Bytes(&op), value)
	}
	ops := []mac.Op{op}
	if err := e.hsm.Do(context.Background(), ops); err != nil {
		e.Fatal(err)
	}
	return &ops[0]
}

// script has the module make a command from a fresh challenge, changes it where
// asked to, and compares what the card says to it.
func (e *estate) script(k mac.Kind, fields map[mac.Field]string, edit func([]byte), want string) {
	e.Helper()
	with := map[mac.Field]string{mac.Challenge: hex.EncodeToString(data(e.T, e.card, "0084000004", 4))}
	for f, digits := range fields {
		with[f] = digits
	}
	op := e.ask(k, with)
	if op.Err != nil {
		e.Fatalf("%s: %v", k, op.Err)
	}
	command := op.Command()
	if edit != nil {
		edit(command)
	}
	e.says(hex.EncodeToString(command), want)
}

func lastBit(b []byte) { b[len(b)-1] ^= 1 }

func TestOverdraft(t *testing.T) {
	e := newEstate(t, "plain", cardtest.State{ED: cardtest.Store{Balance: 5000, Limit: 3000, Online: 6}})
	raise := func(limit, want string) []byte {
		t.Helper()
		a := data(t, e.card, "80500401 07 01 112233445566 13", 19)
		op := e.ask(mac.KindOverdraft, map[mac.Field]string{
			mac.Random: hexOf(a[11:15]), mac.OnlineCounter: hexOf(a[4:6]), mac.OldBalance: hexOf(a[:4]), mac.OldLimit: hexOf(a[6:9]),
			mac.NewLimit: limit, mac.Terminal: "112233445566", mac.Date: hexOf(date[:]), mac.Time: hexOf(clock[:]), mac.MAC1: hexOf(a[15:]),
		})
		if op.Err != nil {
			t.Fatal(op.Err)
		}
		command := "80580000 0E" + limit + moment + hexOf(op.Answer[:]) + "04"
		if want != "" {
			e.says(command, want)
			return nil
		}
		tac := data(t, e.card, command, 4)
		receipt := e.ask(mac.KindOverdraftTAC, map[mac.Field]string{
			mac.NewBalance: hexOf(data(t, e.card, "805C0001 04", 4)), mac.OnlineCounter: hexOf(a[4:6]), mac.NewLimit: limit,
			mac.Terminal: "112233445566", mac.Date: hexOf(date[:]), mac.Time: hexOf(clock[:]), mac.TAC: hexOf(tac),
		})
		if receipt.Err != nil {
			t.Errorf("TAC of limit %s: %v", limit, receipt.Err)
		}
		return a
	}
	if a := raise("001388", ""); hexOf(a[:9]) != "000013880006000bb8" { // balance 5000, counter 6, limit 3000
		t.Errorf("INITIALIZE FOR UPDATE answers %X", a)
	}
	e.says("805C0001 04", "00001B589000") // 5000 - 3000 + 5000
	e.says("00B201C4 17", "0007001388000000000711223344556620261128091501"+"9000")
	if a := raise("000000", ""); hexOf(a[6:9]) != "001388" {
		t.Errorf("the limit is %X", a[6:9])
	}
	e.says("805C0001 04", "000007D09000")
	poor := e.purse.State()
	poor.ED.Balance, poor.ED.Limit = 1000, 3000 // 2000 fen are owed
	if err := e.purse.Restore(poor); err != nil {
		t.Fatal(err)
	}
	raise("000700", "9401")
	raise("0007D0", "")
	e.says("80580000 0E 001388"+moment+"00000000 04", "6901")
	data(t, e.card, "80500401 07 01 112233445566 13", 19)
	e.says("80580000 0E 001388"+moment+"00000000 04", "9302")
	e.says("80500402 07 01 112233445566 13", "6A86")
	e.says("80500401 0B 01 00000001 112233445566 13", "6700")
}

func TestCompound(t *testing.T) {
	for _, scheme := range []string{"plain", "cjt166"} {
		e := newEstate(t, scheme, cardtest.State{EP: cardtest.Store{Balance: 1000, Offline: 4}})
		code := ""
		if scheme == "cjt166" {
			code = hexOf(data(t, e.card, "80CA0000 09", 9))
		} else {
			e.says("80CA0000 09", "6A86")
		}
		e.script(mac.KindUpdateRecord, map[mac.Field]string{mac.P1: "01", mac.P2: "BC", mac.Enciphered: "00", mac.Content: "090400000000"}, nil, "9000")
		e.says("80DC09B8 06 090400000001", "6901") // nothing was begun
		pay := func(amount, record string) string {
			t.Helper()
			a := data(t, e.card, "80500302 0B 01"+amount+"112233445566 0F", 15)
			e.says("80DC0AB8 02 0A00", "6A83")
			e.says("80DC09B8 02 0A00", "6A80")
			e.says("80DC09B8 06"+record, "9000")
			e.says("00B201BC 00", "0904000000009000") // not before the debit
			fields := map[mac.Field]string{
				mac.Random: hexOf(a[11:]), mac.OfflineCounter: hexOf(a[4:6]), mac.TerminalSerial: "00018000", mac.Amount: amount,
				mac.Type: "09", mac.Terminal: "112233445566", mac.Date: hexOf(date[:]), mac.Time: hexOf(clock[:]),
			}
			if code != "" {
				fields[mac.AuthCode] = code
			}
			op := e.ask(mac.KindPurchase, fields)
			if op.Err != nil {
				t.Fatal(op.Err)
			}
			return "80540100 0F 00018000" + moment + hexOf(op.Answer[:]) + "08"
		}
		torn := pay("00000064", "090499999999")
		e.purse.TearNext(cardtest.TearBefore)
		e.says(torn, "torn")
		data(t, e.card, choose, 15)
		e.says("805C0002 04", "000003E89000")
		e.says("00B201BC 00", "0904000000009000")
		answer := send(t, e.card, pay("00000190", "090411111111"))
		b, _ := hex.DecodeString(answer)
		if len(b) != 10 || !strings.HasSuffix(answer, "9000") {
			t.Fatalf("%s: the debit answers %s", scheme, answer)
		}
		receipt := e.ask(mac.KindPurchaseTAC, map[mac.Field]string{
			mac.Amount: "00000190", mac.Type: "09", mac.Terminal: "112233445566", mac.TerminalSerial: "00018000",
			mac.Date: hexOf(date[:]), mac.Time: hexOf(clock[:]), mac.TAC: hexOf(b[:4]),
		})
		if receipt.Err != nil {
			t.Errorf("%s: TAC: %v", scheme, receipt.Err)
		}
		e.says("00B201BC 00", "0904111111119000")
		e.says("00B209B8 00", "0904111111119000")
		e.says("805C0002 04", "000002589000")
	}
}

func TestPIN(t *testing.T) {
	e := newEstate(t, "plain", cardtest.State{})
	e.says("00200000 03 123456", "9000")
	e.says("00200000 03 123457", "63C2")
	e.says("00200000 02 1234", "63C1")
	e.says("00200000 03 000000", "63C0")
	e.says("00200000 03 123456", "6983")
	unblock := map[mac.Field]string{mac.P1: "00", mac.P2: "01", mac.PIN: "654321"}
	e.script(mac.KindPINUnblock, unblock, lastBit, "6988")
	e.script(mac.KindPINUnblock, unblock, func(b []byte) { b[7] ^= 1 }, "6988")
	e.says("00200000 03 654321", "6983")
	e.script(mac.KindPINUnblock, unblock, nil, "9000")
	e.says("00200000 03 654321", "9000")
	e.says("805E0100 07 654321 FF 111111", "9000")
	e.says("805E0100 07 654321 FF 222222", "63C2")
	reload := e.ask(mac.KindPINReload, map[mac.Field]string{mac.P2: "00", mac.PIN: "1234"}).Command()
	lastBit(reload)
	e.says(hexOf(reload), "9302")
	lastBit(reload)
	e.says(hexOf(reload), "9000")
	e.says("00200000 02 1234", "9000")
	e.says("84240001 04 00000000", "6985") // no challenge was asked for
	e.says("84240001 02 0000", "6987")
}

// Each of the line-protected commands is obeyed once, with its own key and
// challenge, and with no other.
func TestBlocking(t *testing.T) {
	for _, scheme := range []string{"plain", "cjt166"} { // by the maintenance key, and by keys of their own
		e := newEstate(t, scheme, cardtest.State{ED: cardtest.Store{Balance: 100}})
		e.script(mac.KindAppUnblock, nil, nil, "6985") // it is not blocked
		e.script(mac.KindAppBlock, map[mac.Field]string{mac.P2: "00"}, lastBit, "6988")
		challenge := hex.EncodeToString(data(t, e.card, "0084000008", 8))
		block := hexOf(e.ask(mac.KindAppBlock, map[mac.Field]string{mac.P2: "00", mac.Challenge: challenge}).Command())
		e.says("805C0001 04", "000000649000")
		e.says(block, "6985") // another command came in between
		e.script(mac.KindAppBlock, map[mac.Field]string{mac.P2: "00"}, nil, "9000")
		e.says(block, "6A81")
		e.says("805C0001 04", "6A81")
		e.says("80500001 0B 01 00000064 112233445566 10", "6A81")
		e.says(choose, "6A81")
		e.script(mac.KindAppUnblock, nil, nil, "9000")
		e.says("805C0001 04", "000000649000")
		e.script(mac.KindAppBlock, map[mac.Field]string{mac.P2: "01"}, nil, "9000")
		e.says("805C0001 04", "9303")
		e.says(choose, "9303")
		e.script(mac.KindAppUnblock, nil, nil, "9303")
		e.script(mac.KindCardBlock, nil, nil, "9000")
		e.says("0084000004", "6A81")
		e.says(choose, "6A81")
	}
}

func TestUpdate(t *testing.T) {
	e := newEstate(t, "plain", cardtest.State{})
	put := func(p1, p2, enciphered, content string) map[mac.Field]string {
		return map[mac.Field]string{mac.P1: p1, mac.P2: p2, mac.Enciphered: enciphered, mac.Content: content}
	}
	e.script(mac.KindUpdateBinary, put("95", "00", "00", "0731410000000000"), nil, "9000")
	e.says("00B09500 08", "07314100000000009000")
	e.script(mac.KindUpdateBinary, put("95", "00", "00", "0731410000000000"), func(b []byte) { b[5] ^= 1 }, "6988")
	e.script(mac.KindUpdateBinary, put("95", "1D", "00", "0000"), nil, "6B00")
	e.script(mac.KindUpdateBinary, put("96", "02", "01", "C1D2"), nil, "9000")
	e.says("00B09600 04", "0000C1D29000")
	e.script(mac.KindUpdateBinary, put("96", "00", "00", "C1D2"), nil, "6A80") // it must come enciphered
	e.script(mac.KindUpdateBinary, put("96", "00", "01", "01020304050607"), nil, "9000")
	e.says("00B09600 07", "010203040506079000")
	e.script(mac.KindUpdateRecord, put("02", "CC", "01", "55"), nil, "6A83")
	e.script(mac.KindUpdateRecord, put("01", "CC", "01", "5501"), nil, "9000")
	e.script(mac.KindUpdateRecord, put("01", "CC", "01", "5502"), nil, "9000")
	e.says("00B201CC 00", "55029000")
	e.says("00B255C8 00", "55029000")
	e.says("00B201BC 00", "6A83")
	e.script(mac.KindUpdateRecord, put("01", "CD", "01", "55"), nil, "6A86")
	e.script(mac.KindUpdateRecord, put("01", "C4", "00", "55"), nil, "6A82") // the log is the card's own
}

// A key that was written is the one that answers, and survives with the card's
// memory.
func TestWriteKey(t *testing.T) {
	e := newEstate(t, "plain", cardtest.State{ED: cardtest.Store{Balance: 100}})
	write := map[mac.Field]string{
		mac.P1: "07", mac.P2: "01", mac.NewUsage: "01", mac.NewVersion: "03", mac.NewAlgorithm: "00", mac.KeyHeader: "03000300",
	}
	e.script(mac.KindWriteKey, write, lastBit, "6988")
	write[mac.KeyHeader] = "0300030000"
	e.script(mac.KindWriteKey, write, nil, "6A80") // a frame of another card system
	write[mac.KeyHeader], write[mac.P1] = "03000300", "77"
	e.script(mac.KindWriteKey, write, nil, "9403")
	write[mac.P1] = "07"
	e.script(mac.KindWriteKey, write, nil, "9000")
	later := newEstate(t, "plain", e.purse.State())
	a := data(t, later.card, "80500001 0B 01 00000064 112233445566 10", 16)
	if a[6] != 3 {
		t.Fatalf("the card says version %02X", a[6])
	}
	k := wholeIssuer(3)
	session := k.Key(keystore.UsageLoad).Diversify(asn).SessionKey([8]byte(append(a[8:12:12], a[4], a[5], 0x80, 0)))
	chain := reference.ChainBlocks(session, reference.Pad(append(binary.BigEndian.AppendUint32(a[:4:4], 100), 0x01, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66)))
	if got := hexOf(chain[1][:4]); got != hexOf(a[12:]) {
		t.Errorf("MAC1 is %X, by the written key %s", a[12:], got)
	}
}

// A card without a key says so.
func TestNoKey(t *testing.T) {
	c, _ := newCard(t, cardtest.State{})
	data(t, c, choose, 15)
	for _, command := range []string{"80500401 07 01 112233445566 13", "84240001 0C 0000000000000000 00000000", "805E0000 07 123456 00000000", "00200000 03 123456"} {
		data(t, c, "0084000004", 4)
		if got := send(t, c, command); got != "9403" {
			t.Errorf("%s answers %s", command, got)
		}
	}
}

// A memory that no card can have is refused.
func TestImpossibleMemory(t *testing.T) {
	for name, text := range map[string]string{
		"an empty record":        `{"Records":{"23":[""]}}`,
		"a PIN of one byte":      `{"PIN":"EQ=="}`,
		"a limit of the purse":   `{"EP":{"Limit":5}}`,
		"a limit of four bytes":  `{"ED":{"Limit":16777216}}`,
		"a key of a byte":        `{"Written":[{"Usage":"load","Key":"EQ=="}]}`,
		"a key that no card has": `{"Written":[{"Usage":"mac","Key":"EREREREREREREREREREREQ=="}]}`,
	} {
		var s cardtest.State
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_, purse := newCard(t, cardtest.State{})
		if err := purse.Restore(s); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// FuzzTwoCommands gives the card any two commands. It answers each with a status
// word, and its money comes from nobody who has no key.
func FuzzTwoCommands(f *testing.F) {
	for _, c := range [][2]string{
		{"80500002 0B 01 00000001 112233445566 10", "80520000 0B 20261128091501 00000000 04"},
		{"80500302 0B 01 00000001 112233445566 0F", "80DC09B8 02 0900"},
		{"80500401 07 01 112233445566 13", "80580000 0E 001388 20261128091501 00000000 04"},
		{"0084000008", "84240001 0C 0000000000000000 00000000"},
		{"0084000004", "04DC01BC 08 01020304 00000000"},
		{"805E0100 07 123456 FF 654321", "00B201BC 00"},
	} {
		first, _ := hex.DecodeString(strings.ReplaceAll(c[0], " ", ""))
		second, _ := hex.DecodeString(strings.ReplaceAll(c[1], " ", ""))
		f.Add(first, second)
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		e := newEstate(t, "cjt166", cardtest.State{ED: cardtest.Store{Balance: 100}, EP: cardtest.Store{Balance: 100}})
		for _, command := range [][]byte{first, second} {
			answer, err := e.card.Transmit(command)
			if err != nil || len(answer) < 2 {
				t.Fatalf("%X answers %X, %v", command, answer, err)
			}
		}
		if s := e.purse.State(); s.ED.Balance != 100 || s.EP.Balance != 100 || s.Blocked != cardtest.NotBlocked || len(s.Written) > 0 {
			t.Fatalf("%X and %X made it %+v", first, second, s)
		}
	})
}
