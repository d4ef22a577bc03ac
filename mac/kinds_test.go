package mac_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/lanes"
	"pbochsm/mac/reference"
)

// someFields are values of the fields, no two of which have a byte in common.
var someFields = map[mac.Field]string{
	mac.Random: "F0F1F2F3", mac.OnlineCounter: "C0C1", mac.OfflineCounter: "B0B1", mac.TerminalSerial: "A0A1A2A3",
	mac.OldBalance: "D0D1D2D3", mac.NewBalance: "90919293", mac.Amount: "80818283", mac.Terminal: "E0E1E2E3E4E5",
	mac.Date: "20240229", mac.Time: "135746", mac.OldLimit: "707172", mac.NewLimit: "737475", mac.TerminalRandom: "60616263",
	mac.MAC1: "FAFBFCFD", mac.MAC2: "FAFBFCFD", mac.MAC3: "FAFBFCFD", mac.TAC: "FAFBFCFD",
	mac.P1: "50", mac.P2: "01", mac.Challenge: "40414243", mac.PIN: "303132", mac.Enciphered: "00", mac.Content: "2021222324",
	mac.NewUsage: "01", mac.NewVersion: "01", mac.NewAlgorithm: "00", mac.KeyHeader: "10111213",
}

// filled is an op of kind k, of the card of all tests, with someFields in it
// and the last of its types.
func filled(k mac.Kind) mac.Op {
	op := mac.Op{Kind: k, Key: someCard.Key, Levels: uint8(len(someCard.Factors))}
	copy(op.Factors[:], someCard.Factors)
	for _, f := range k.Inputs() {
		set(&op, f, someFields[f])
	}
	if types := k.Types(); slices.Contains(k.Inputs(), mac.Type) {
		mac.Type.Bytes(&op)[0] = byte(types[len(types)-1])
	}
	return op
}

// set writes hexadecimal digits into a field.
func set(op *mac.Op, f mac.Field, digits string) {
	value, err := hex.DecodeString(digits)
	if err != nil {
		panic(err)
	}
	f.SetLen(op, len(value))
	copy(f.Bytes(op), value)
}

// A published command: a card's own key, what was asked, what was sent.
type commandCase struct {
	name  string
	kind  mac.Kind
	usage keystore.Usage
	key   string
	in    map[mac.Field]string
	want  string

	written string // the load key that is written into the card
}

// The sources are those of docs/pboc.md, section 14: CS is the log of a real
// card or the test of an applet, FM a manual.
var commandCases = []commandCase{
	{
		name: "block application, CS t5_appBlock.txt", kind: mac.KindAppBlock, usage: keystore.UsageMaintenance,
		key: "6474215EF549707831BB8DB9895FD48A", in: map[mac.Field]string{mac.Challenge: "1EA2B2E6", mac.P2: "00"},
		want: "841E000004A86CC6A8",
	},
	{
		name: "unblock application, CS appunblock.jcsh", kind: mac.KindAppUnblock, usage: keystore.UsageMaintenance,
		key: "C3F4335E76520F8BBB018F6B1ACE48A6", in: map[mac.Field]string{mac.Challenge: "41424344"},
		want: "841800000407C40F5E",
	},
	{
		name: "update file 05, CS t1_initAndActive.txt", kind: mac.KindUpdateBinary, usage: keystore.UsageMaintenance,
		key: "F28E92292DCB63F11EA7F5776A7122B8",
		in: map[mac.Field]string{
			mac.Challenge: "1B534732", mac.P1: "85", mac.P2: "00", mac.Enciphered: "00",
			mac.Content: "07314100000000004100000089999985020020150605000F00000001000120150605203808080000",
		},
		want: "04D685002C07314100000000004100000089999985020020150605000F00000001000120150605203808080000C853F358",
	},
	{
		name: "update record 17, CS changsha.jcsh", kind: mac.KindUpdateRecord, usage: keystore.UsageMaintenance,
		key: "687F19B93825C00731A66205A9660CC4",
		in: map[mac.Field]string{
			mac.Challenge: "41424344", mac.P1: "02", mac.P2: "BC", mac.Enciphered: "00",
			mac.Content: "022E00000900000000000000000000000000900000000000000000000000000000000000000000000000000000004F95",
		},
		want: "04DC02BC34022E00000900000000000000000000000000900000000000000000000000000000000000000000000000000000004F95EA7E5DBF",
	},
	{
		name: "external authentication, CS changsha.jcsh", kind: mac.KindExternalAuth, usage: keystore.UsageAuthenticate,
		key: "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", in: map[mac.Field]string{mac.Challenge: "41424344", mac.P2: "00"},
		want: "00820000089B5D0928B9D646B1",
	},
	{
		name: "write a maintenance key, CS changsha.jcsh", kind: mac.KindWriteKey, usage: keystore.UsageKeyControl,
		key: "31323334353637383132333435363738", written: "58B860693E4F13DD11EE471349E2F1DC",
		in:   writing("3600"),
		want: "84D436001C6CE46DBBB86B5A6D000237A270C215586EE4AF0A8C0C335B72643BE7",
	},
	{
		name: "write a load key, CS changsha.jcsh", kind: mac.KindWriteKey, usage: keystore.UsageKeyControl,
		key: "EBEC8FCAFF6F91ACD3938011A1536854", written: "206A7AEADA34D7D396ED5166BE858608",
		in:   writing("0701"),
		want: "84D407011C3D09297F9615B29C5BBFE8C875A36C3FAA2D2B73DD63FB5EB7CA1610",
	},
	{
		name: "write a TAC key, CS changsha.jcsh", kind: mac.KindWriteKey, usage: keystore.UsageKeyControl,
		key: "EBEC8FCAFF6F91ACD3938011A1536854", written: "B52A9EFBE06CC2CA4ED531205BDF5AC9",
		in:   writing("0800"),
		want: "84D408001C98709D841D3F0845D57BD098E13797E55D5B5D6EFE61D4AF67284A6D",
	},
}

// writing are the fields of the published commands that write a key, with these
// P1 and P2. The test stores every key as a load key.
func writing(parameters string) map[mac.Field]string {
	return map[mac.Field]string{
		mac.P1: parameters[:2], mac.P2: parameters[2:], mac.Challenge: "41424344",
		mac.NewUsage: "01", mac.NewVersion: "01", mac.NewAlgorithm: "00", mac.KeyHeader: "01003300",
	}
}

func (c *commandCase) op() mac.Op {
	op := mac.Op{Kind: c.kind, Key: mac.KeyID{Set: 1, Version: 1}}
	for f, digits := range c.in {
		set(&op, f, digits)
	}
	return op
}

func (c *commandCase) entries() []keystore.Entry {
	entries := []keystore.Entry{testKey(c.usage, 0)}
	values := []string{c.key}
	if c.written != "" {
		entries, values = append(entries, testKey(keystore.UsageLoad, 0)), append(values, c.written)
	}
	for i, value := range values {
		secret, err := keystore.ParseSecret([]byte(value))
		if err != nil {
			panic(err)
		}
		entries[i].Secret = secret
	}
	return entries
}

func TestPublishedCommands(t *testing.T) {
	for _, c := range commandCases {
		t.Run(c.name, func(t *testing.T) {
			op := ask(t, newEngine(t, reference.Backend{}, c.entries()...), c.op())
			if got := fmt.Sprintf("%X", op.Command()); op.Err != nil || got != c.want {
				t.Errorf("%s, %v; want %s", got, op.Err, c.want)
			}
			if op.Answer != [4]byte{} {
				t.Error("a MAC beside the command")
			}
		})
	}
}

// The manual's example of an enciphered update: seven bytes and their length
// make one block, and no padding follows.
func TestPublishedEncipherment(t *testing.T) {
	c := commandCase{
		kind: mac.KindUpdateBinary, usage: keystore.UsageMaintenance, key: "44444444444444444444444444444444",
		in: map[mac.Field]string{
			mac.Challenge: "00000000", mac.P1: "85", mac.P2: "00", mac.Enciphered: "01", mac.Content: "01020304050607",
		},
	}
	op := ask(t, newEngine(t, reference.Backend{}, c.entries()...), c.op())
	if got := fmt.Sprintf("%X", op.Command()); op.Err != nil || !strings.HasPrefix(got, "04D685000C19479307DF791D7F") {
		t.Errorf("%s, %v", got, op.Err)
	}
}

// A command is made of whole pieces only: what is out of range is refused by
// its name, and nothing comes with the refusal.
func TestCommandRanges(t *testing.T) {
	hsm := newEngine(t, reference.Backend{}, keysWithLevels(2)...)
	for _, c := range []struct {
		kind   mac.Kind
		field  mac.Field
		digits string
		ok     bool
	}{
		{mac.KindAppBlock, mac.P2, "02", false},
		{mac.KindAppBlock, mac.P2, "00", true},
		{mac.KindCardBlock, mac.Challenge, "", false},
		{mac.KindCardBlock, mac.Challenge, "0102030405", false},
		{mac.KindCardBlock, mac.Challenge, "0102030405060708", true},
		{mac.KindCardBlock, mac.Challenge, "000102030405060708090A0B0C0D0E0F", false},
		{mac.KindExternalAuth, mac.Challenge, "000102030405060708090A0B0C0D0E0F", true},
		{mac.KindExternalAuth, mac.Challenge, "0001020304", false},
		{mac.KindPINReload, mac.PIN, "12", false},
		{mac.KindPINReload, mac.PIN, "1234567890ABCDEF", true},
		{mac.KindUpdateBinary, mac.Enciphered, "02", false},
		{mac.KindUpdateBinary, mac.Content, "", false},
		{mac.KindUpdateBinary, mac.Content, strings.Repeat("00", 251), true},
	} {
		op := filled(c.kind)
		set(&op, c.field, c.digits)
		got := ask(t, hsm, op)
		if c.ok != (got.Err == nil) || !c.ok && (!refusedFor(got.Err, c.field) || got.Command() != nil) {
			t.Errorf("%s with %s %q: %v", c.kind, c.field, c.digits, got.Err)
		}
	}
	op := filled(mac.KindUpdateBinary)
	set(&op, mac.Content, strings.Repeat("00", 248))
	set(&op, mac.Enciphered, "01")
	if got := ask(t, hsm, op); !refusedFor(got.Err, mac.Content) {
		t.Errorf("more than Lc can tell, enciphered: %v", got.Err)
	}
}

// The card's answer to a challenge counts to its last bit.
func TestInternalAuthentication(t *testing.T) {
	hsm := newEngine(t, reference.Backend{}, keysWithLevels(2)...)
	external := filled(mac.KindExternalAuth)
	set(&external, mac.Challenge, "0123456789ABCDEF")
	external = ask(t, hsm, external)
	made := external.Command()
	op := filled(mac.KindInternalAuth)
	set(&op, mac.Challenge, "0123456789ABCDEF")
	set(&op, mac.Response, fmt.Sprintf("%X", made[5:]))
	if got := ask(t, hsm, op); got.Err != nil || got.Command() != nil {
		t.Errorf("right: %v, command %X", got.Err, got.Command())
	}
	for bit := range 64 {
		wrong := op
		mac.Response.Bytes(&wrong)[bit/8] ^= 1 << (bit % 8)
		if got := ask(t, hsm, wrong); !errors.Is(got.Err, mac.ErrResponse) || !errors.Is(got.Err, mac.ErrVerify) {
			t.Errorf("bit %d: %v", bit, got.Err)
		}
	}
}

// A batch of scripts that need two runs, scripts that need one, transactions
// and refusals keeps them apart.
func TestScriptsInABatch(t *testing.T) {
	hsm := newEngine(t, reference.Backend{}, keysWithLevels(2)...)
	var ops []mac.Op
	for i := range 40 {
		for _, k := range mac.Kinds() {
			op := filled(k)
			if k.Commands() && slices.Contains(k.Inputs(), mac.Content) {
				set(&op, mac.Enciphered, fmt.Sprintf("%02X", i%3))
				set(&op, mac.Content, strings.Repeat(fmt.Sprintf("%02X", i), 1+i))
			}
			ops = append(ops, op)
		}
	}
	want := make([]mac.Op, len(ops))
	for i := range ops {
		want[i] = ask(t, hsm, ops[i])
		want[i].SetCommand(slices.Clone(want[i].Command()))
	}
	commands := make([]string, len(ops))
	for i := range want {
		commands[i] = fmt.Sprintf("%X", want[i].Command())
	}
	if err := hsm.Do(t.Context(), ops); err != nil {
		t.Fatal(err)
	}
	for i := range ops {
		if got := fmt.Sprintf("%X", ops[i].Command()); got != commands[i] || ops[i].Answer != want[i].Answer {
			t.Errorf("op %d, %s: %s, alone %s", i, ops[i].Kind, got, commands[i])
		}
	}
}

// What a key that is written must be: of a usage that cards have, of the same
// set, there, active, and of as many levels as the key that controls it, since
// the factors are those of both.
func TestWhichKeysAreWritten(t *testing.T) {
	keys := append(keysWithLevels(2), testKey(keystore.UsageMAC, 0), testKey(keystore.UsageLoad, 1), testKey(keystore.UsageLoad, 2))
	keys[len(keys)-2].Version, keys[len(keys)-1].Version = 2, 3
	keys[len(keys)-1].State = keystore.StateRetired
	hsm := newEngine(t, reference.Backend{}, keys...)
	for _, c := range []struct {
		name, usage, version string
		want                 error
	}{
		{"a load key", "01", "01", nil},
		{"the control key itself", "0F", "01", nil},
		{"no usage", "00", "01", mac.ErrInvalid},
		{"a key for generic MACs", "0E", "01", mac.ErrInvalid},
		{"a usage beyond the last", "10", "01", mac.ErrInvalid},
		{"a key of one level", "01", "02", mac.ErrInvalid},
		{"a retired key", "01", "03", keystore.ErrRetired},
		{"no such key", "01", "77", keystore.ErrNotFound},
	} {
		op := filled(mac.KindWriteKey)
		set(&op, mac.NewUsage, c.usage)
		set(&op, mac.NewVersion, c.version)
		if got := ask(t, hsm, op); !errors.Is(got.Err, c.want) || (got.Command() == nil) != (c.want != nil) {
			t.Errorf("%s: %v, %d bytes", c.name, got.Err, len(got.Command()))
		}
	}
}

// A token does not give a key out, and cannot encipher one: both are refused
// with the reason, whichever of the two keys lives there.
func TestKeysOfTokensAreNotWritten(t *testing.T) {
	for name, backend := range map[string]mac.Backend{"reference": reference.Backend{}, "lanes": lanes.New()} {
		keys := keysWithLevels(2)
		i := slices.IndexFunc(keys, func(e keystore.Entry) bool { return e.Usage == keystore.UsageLoad })
		keys[i].Home, keys[i].Secret = keystore.Home{Token: "main", Label: "load", ID: "0101"}, keystore.Secret{}
		got := ask(t, newEngine(t, backend, keys...), filled(mac.KindWriteKey))
		if !errors.Is(got.Err, mac.ErrUnsupported) || !errors.Is(got.Err, mac.ErrNotGivenOut) || got.Command() != nil {
			t.Errorf("%s: %v, %d bytes", name, got.Err, len(got.Command()))
		}
	}
}
