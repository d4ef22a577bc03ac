package protocol_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/lanes"
	"pbochsm/protocol"
)

// macKey is the only key of the usage for generic MACs that is 3DES and active.
const macKey = "0123456789ABCDEFFEDCBA9876543210"

// macServer is a server with generic keys at the places 10 (3DES), 11 (SM4) and
// 12 (retired) of its table, beside those of the purse.
func macServer(t testing.TB) *protocol.Server {
	t.Helper()
	entries := testKeys()
	for i, c := range []keystore.Cipher{keystore.Cipher3DES, keystore.CipherSM4, keystore.Cipher3DES} {
		e := keystore.Entry{Key: keystore.Key{
			Ref:   keystore.Ref{Set: 0xA, Usage: keystore.UsageMAC, Version: byte(i + 1)},
			Index: uint16(0x10 + i), Cipher: c, State: keystore.StateActive,
		}}
		raw, _ := hex.DecodeString(macKey)
		e.Secret = keystore.Secret(raw)
		e.Secret[15] ^= byte(i) << 1
		if i == 2 {
			e.State = keystore.StateRetired
		}
		entries = append(entries, e)
	}
	snapshot, err := keystore.NewSnapshot(keystore.ModeTest, 1, keystore.KCV{}, entries)
	if err != nil {
		t.Fatal(err)
	}
	live := keystore.NewLive(snapshot)
	s := newServer(t)
	s.Keys, s.HSM = live, mac.NewEngine(live, lanes.New())
	return s
}

// sentence is what the test of a public payShield client MACs: text with the
// separators of a terminal message in it.
const sentence = "22\x1c002000001\x1c\x1c05151009\x1cF\x1c60000"

// The bytes that a public Node client (ut-codec-payshield) and a public Java
// client send, with the key's place for the key: header of four digits, text and
// binary, algorithms 3 and 1, double-length key.
func TestMACsAsPublicClientsSendThem(t *testing.T) {
	c := dial(t, start(t, macServer(t)))
	for _, tc := range []struct{ name, request, want string }{
		{"Node, text, TAK", "0002M602031003UK010001E" + sentence, "0002M700"},
		{"Node, binary, ZAK", "0002M600031008UK010001E" + sentence, "0002M700"},
		{"Java, algorithm 1, TAK", "0002M600011003UK0100008" + sentence[:8], "0002M700"},
	} {
		got := ask(t, c, tc.request)
		if !strings.HasPrefix(got, tc.want) || len(got) != len(tc.want)+8 {
			t.Fatalf("%s: reply %q", tc.name, got)
		}
		verify := strings.Replace(tc.request, "M6", "M8", 1)
		if again := ask(t, c, verify, got[8:]); again != "0002M900" {
			t.Errorf("%s: %s is verified with %q", tc.name, got[8:], again)
		}
		if wrong := ask(t, c, verify, "00000000\x19tail"); wrong != "0002M901\x19tail" {
			t.Errorf("%s: zeros are verified with %q", tc.name, wrong)
		}
	}
}

// A message may hold any byte, also the trailer's and the one before the LMK
// identifier; what comes behind it is told apart by the length.
func TestMACOfAnyBytes(t *testing.T) { onBothPaths(t, testMACOfAnyBytes) }

func testMACOfAnyBytes(t *testing.T, newServer maker) {
	s := macServer(t)
	s.Loops = newServer(t).Loops
	c := dial(t, start(t, s))
	message := "\x19%00\x00\xff\x19%01\x19"
	plain := ask(t, c, "HEADM600131003K010", fmt.Sprintf("%04X", len(message)), message)
	digits := strings.ToLower(hex.EncodeToString([]byte(message)))
	for _, request := range []string{
		"HEADM601131FFFK010" + fmt.Sprintf("%04X", len(digits)) + digits,
		"HEADM602131008IA0100" + fmt.Sprintf("%04X", len(message)) + message,
		"HEADM602131008I0A0100" + fmt.Sprintf("%04X", len(message)) + message + "%00",
	} {
		got := ask(t, c, request, "\x19tr\x19ailer")
		want := plain + "\x19tr\x19ailer"
		if strings.Contains(request, "IA0") {
			want = "HEADM715" // an identity cut short: where the message ends nobody knows
		}
		if got != want {
			t.Errorf("%q: reply %q, want %q", request, got, want)
		}
	}
	if len(plain) != len("HEADM700")+16 {
		t.Errorf("reply %q", plain)
	}
}

func TestMACRefusals(t *testing.T) {
	c := dial(t, start(t, macServer(t)))
	for _, tc := range []struct{ name, body, want string }{
		{"right", "M600031003K0100008" + sentence[:8], "00"},
		{"a purse key", "M600031003K0010008" + sentence[:8], "28"},
		{"a purse key by its identity", "M600031003I0201000008" + sentence[:8], "28"},
		{"an SM4 key", "M600031003K0110008" + sentence[:8], "27"},
		{"a retired key", "M600031003K0120008" + sentence[:8], "29"},
		{"a hole in the table", "M600031003K0050008" + sentence[:8], "12"},
		{"above the table", "M600031003K0130008" + sentence[:8], "21"},
		{"no such identity", "M600031003I7701000008" + sentence[:8], "12"},
		{"a key under the LMK", "M600031003U" + macKey + "0008" + sentence[:8], "15"},
		{"mode 4", "M640031003K0100008" + sentence[:8], "15"},
		{"format 3", "M603031003K0100008" + sentence[:8], "15"},
		{"size 2", "M600231003K0100008" + sentence[:8], "15"},
		{"algorithm 2", "M600021003K0100008" + sentence[:8], "15"},
		{"padding 3", "M600033003K0100008" + sentence[:8], "15"},
		{"another key type", "M600031001K0100008" + sentence[:8], "15"},
		{"no message", "M600031003K0100000", "15"},
		{"a message cut short", "M600031003K0100009" + sentence[:8], "15"},
		{"a message too long", "M600031003K0100007" + sentence[:8], "15"},
		{"no padding, no whole blocks", "M600030003K0100007" + sentence[:7], "15"},
		{"a first part, no whole blocks", "M610031003K0100007" + sentence[:7], "15"},
		{"a last part without an IV", "M630031003K0100008" + sentence[:8], "15"},
		{"odd digits", "M601031003K0100003ABC", "15"},
		{"digits that are none", "M601031003K0100004ABxx", "15"},
		{"another LMK", "M600031003K0100008" + sentence[:8] + "%01", "13"},
		{"M8 without a MAC", "M800031003K0100008" + sentence[:8], "15"},
		{"M8 with a MAC too long", "M800031003K0100008" + sentence[:8] + "0000000000", "15"},
	} {
		got := ask(t, c, "HEAD", tc.body)
		if status := got[6:8]; status != tc.want || status != "00" && len(got) != 8 {
			t.Errorf("%s: reply %q, want status %s", tc.name, got, tc.want)
		}
	}
}

// Every algorithm, padding, size and way to cut a message, by the Go client,
// against the openssl command.
func TestMACsAgainstOpenSSL(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("REQUIRE_OPENSSL") != "" {
			t.Fatal(err)
		}
		t.Skipf("%v; REQUIRE_OPENSSL=1 makes this a failure", err)
	}
	client := newClient(t, start(t, macServer(t)))
	random := rand.New(rand.NewPCG(6, 8))
	for i := range 20 {
		message := make([]byte, 1+random.IntN(40*(1+i%4)))
		for j := range message {
			message[j] = byte(random.Uint32())
		}
		for _, algorithm := range []uint8{1, 3} {
			for padding := range uint8(3) {
				text := message
				if padding == 0 {
					text = append(message, make([]byte, (8-len(message)%8)%8)...)
				}
				whole := mac.Generic{ByIndex: true, Index: 0x10, Algorithm: algorithm, Padding: padding, Message: text, Size: 4 + 4*random.IntN(2)}
				want := opensslMAC(t, whole)
				if got := macOf(t, client, whole, random.IntN(len(text)/8+1)); !bytes.Equal(got, want) {
					t.Fatalf("algorithm %d, padding %d, %d bytes: %X, openssl says %X", algorithm, padding, len(text), got, want)
				}
			}
		}
	}
}

// macOf has the message MACed in two or three parts, the first of that many
// blocks, or as a whole; and has each part's answer confirmed by M8.
func macOf(t *testing.T, hsm mac.HSM, whole mac.Generic, blocks int) []byte {
	t.Helper()
	parts := []mac.Generic{whole}
	if n := 8 * blocks; n > 0 && n < len(whole.Message) {
		first, last := whole, whole
		first.Part, first.Message = mac.PartFirst, whole.Message[:n]
		last.Part, last.Message = mac.PartLast, whole.Message[n:]
		parts = []mac.Generic{first, last}
		if n >= 16 {
			middle := first
			parts[0].Message = whole.Message[:8]
			middle.Part, middle.Message = mac.PartMiddle, whole.Message[8:n]
			parts = []mac.Generic{parts[0], middle, last}
		}
	}
	var g mac.Generic
	for i := range parts {
		parts[i].IV = g.Chain
		g = parts[i]
		for _, k := range []mac.Kind{mac.KindMAC, mac.KindMACVerify} {
			g.Claim = g.MAC
			op := mac.Op{Kind: k}
			op.SetGeneric(&g)
			ops := []mac.Op{op}
			before := g
			if err := errors.Join(hsm.Do(t.Context(), ops), ops[0].Err); err != nil {
				t.Fatal(err)
			}
			if k == mac.KindMACVerify && g.Chain != before.Chain {
				t.Fatalf("M8 answers the IV %X, M6 %X", g.Chain, before.Chain)
			}
			if k == mac.KindMACVerify {
				g.MAC = before.MAC
			}
		}
	}
	return g.MAC[:g.Size]
}

// opensslMAC is ISO/IEC 9797-1 by the openssl command.
func opensslMAC(t *testing.T, g mac.Generic) []byte {
	t.Helper()
	data := bytes.Clone(g.Message)
	if g.Padding == 2 {
		data = append(data, 0x80)
	}
	for len(data)%8 != 0 {
		data = append(data, 0)
	}
	iv, left := make([]byte, 8), macKey[:16]
	if n := len(data) - 8; g.Algorithm == 3 && n > 0 {
		out := openssl(t, data[:n], left+left, iv) // single DES, as every openssl has it
		iv, data = out[n-8:], data[n:]
	}
	out := openssl(t, data, macKey, iv)
	return out[len(out)-8:][:g.Size]
}

func openssl(t *testing.T, data []byte, key string, iv []byte) []byte {
	t.Helper()
	cmd := exec.Command("openssl", "enc", "-nopad", "-des-ede-cbc", "-K", key, "-iv", hex.EncodeToString(iv))
	cmd.Stdin = bytes.NewReader(data)
	out, err := cmd.Output()
	if err != nil || len(out) != len(data) {
		t.Fatalf("openssl: %d bytes of %d, %v", len(out), len(data), err)
	}
	return out
}
