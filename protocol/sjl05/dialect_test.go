package sjl05_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/lanes"
	"pbochsm/mac/reference"
	"pbochsm/protocol"
	"pbochsm/protocol/sjl05"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The key of every entry, and the card of every request that does not say
// otherwise.
const (
	master = "00112233445566778899AABBCCDDEEFF"
	factor = "1122334455667788"
)

// keys are of one level, at the places 1 to 4: all rights, raw alone, none, and
// all rights again but retired; and at place 5 one of two levels.
func keys(t testing.TB) *keystore.Live {
	t.Helper()
	var entries []keystore.Entry
	for i, k := range []keystore.Key{
		{Raw: true, Export: true}, {Raw: true}, {}, {Raw: true, Export: true, State: keystore.StateRetired},
		{Raw: true, Export: true, Levels: 2},
	} {
		k.Ref = keystore.Ref{Set: 1, Usage: keystore.UsageLoad, Version: byte(i + 1)}
		k.Index, k.Cipher, k.Levels = uint16(i+1), keystore.Cipher3DES, max(k.Levels, 1)
		if k.State == 0 {
			k.State = keystore.StateActive
		}
		entries = append(entries, keystore.Entry{Key: k, Secret: keystore.Secret(unhex(t, master))})
	}
	snapshot, err := keystore.NewSnapshot(keystore.ModeTest, 1, keystore.KCV{}, entries)
	if err != nil {
		t.Fatal(err)
	}
	return keystore.NewLive(snapshot)
}

// serve runs a server of the dialect on one of the two ways to serve plain
// connections, and gives a connection to it.
func serve(t testing.TB, s sjl05.Settings, loops int, edit func(*protocol.Server)) net.Conn {
	t.Helper()
	d, err := sjl05.New(s)
	if err != nil {
		t.Fatal(err)
	}
	server := &protocol.Server{
		HSM: mac.NewEngine(keys(t), lanes.New()), Rand: bytes.NewReader(nil), Now: time.Now, Dialect: d, Loops: loops,
		Format: protocol.Format{Limit: 2048},
	}
	if edit != nil {
		edit(server)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(t.Context(), l) }()
	t.Cleanup(func() {
		if err := errors.Join(server.Shutdown(t.Context()), <-done); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	return conn
}

func onBothPaths(t *testing.T, test func(t *testing.T, loops int)) {
	for name, loops := range map[string]int{"goroutines": -1, "loop": 1} {
		t.Run(name, func(t *testing.T) { test(t, loops) })
	}
}

// expect sends a request and compares the reply.
func expect(t *testing.T, conn net.Conn, name, request, reply string) {
	t.Helper()
	if _, err := conn.Write(unhex(t, request)); err != nil {
		t.Fatal(err)
	}
	want := unhex(t, reply)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(conn, got); err != nil {
		t.Fatalf("%s: %v after %X", name, err, got)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s:\n%X, want\n%X", name, got, want)
	}
}

const (
	echo     = " 0102030405060708 "
	session  = " 00 5E0F93A701238000 "
	noneOf   = " 03 0000000000000000 "
	zeroIV   = " 0000000000000000 "
	mac2Text = " 0012 00002711 02 112233445566 20240315 102031"
	mac1Text = " 000F 00004E20 00002711 02 112233445566"
	card     = " 01" + factor
)

// TestVectorOverTheDialect asks for the MACs of a load that the conformance
// vectors have too (load/level-1).
func TestVectorOverTheDialect(t *testing.T) {
	onBothPaths(t, func(t *testing.T, loops int) {
		conn := serve(t, sjl05.Settings{}, loops, nil)
		chain := reference.Key(unhex(t, master)).Diversify(mac.Factor(unhex(t, factor)))
		key := chain.SessionKey([8]byte(unhex(t, "5E0F93A701238000")))
		full := func(text string) string {
			blocks := reference.ChainBlocks(key, reference.Pad(unhex(t, text)[2:]))
			return fmt.Sprintf("%X", blocks[len(blocks)-1])
		}
		if mac1, mac2 := full(mac1Text), full(mac2Text); mac1[:8] != "A3743BDA" || mac2[:8] != "99DE3DE1" {
			t.Fatalf("MAC1 %s, MAC2 %s", mac1, mac2)
		}
		expect(t, conn, "MAC2", "B080"+echo+"01 0001"+card+session+zeroIV+mac2Text, "41"+echo+full(mac2Text))
		expect(t, conn, "MAC1", "B081"+echo+"01 0001"+card+session+zeroIV+"A3743BDA"+mac1Text, "41"+echo)
		expect(t, conn, "MAC1, a bit turned", "B081"+echo+"01 0001"+card+session+zeroIV+"A3743BDB"+mac1Text, "45"+echo+"01")
	})
}

// Every command, every refusal, answered and echoed as documented.
func TestCommands(t *testing.T) {
	onBothPaths(t, func(t *testing.T, loops int) {
		conn := serve(t, sjl05.Settings{MACSize: 8}, loops, nil)
		key := reference.Key(unhex(t, master)).Diversify(mac.Factor(unhex(t, factor)))
		text := unhex(t, "000102030405060708090A0B0C0D0E0F")
		arithmetic := reference.Of(keystore.Cipher3DES)
		folded := key.TACKey()
		tac := reference.ChainBlocks(folded, reference.Pad(text))
		retail := key.Retail([16]byte{1, 2, 3, 4, 5, 6, 7, 8}, reference.Pad(text))
		data := " 0010" + fmt.Sprintf("%X", text)
		expect(t, conn, "derive", "B061"+echo+"0001"+card, fmt.Sprintf("41"+echo+"%X", key[:]))
		expect(t, conn, "encipher", "B091"+echo+"0001"+card+data, fmt.Sprintf("41"+echo+"0010%X", arithmetic.Encipher(key, text)))
		expect(t, conn, "decipher", "B092"+echo+"0001"+card+data, fmt.Sprintf("41"+echo+"0010%X", arithmetic.Decipher(key, text)))
		expect(t, conn, "make a TAC", "B083"+echo+"00 0001"+card+zeroIV+data, fmt.Sprintf("41"+echo+"%X", tac[2]))
		expect(t, conn, "TAC", "B084"+echo+"00 0001"+card+zeroIV+fmt.Sprintf("%X", tac[2])+data, "41"+echo)
		expect(t, conn, "TAC by its left half", "B084"+echo+"00 0001"+card+zeroIV+fmt.Sprintf("%X00000000", tac[2][:4])+data, "45"+echo+"01")
		expect(t, conn, "retail", "B080"+echo+"00 0001"+card+noneOf+echo+data, fmt.Sprintf("41"+echo+"%X", retail[2]))
		expect(t, conn, "the key without export", "B080"+echo+"00 0002"+card+noneOf+echo+data, fmt.Sprintf("41"+echo+"%X", retail[2]))

		expect(t, conn, "derive without export", "B061"+echo+"0002"+card, "45"+echo+"1C")
		expect(t, conn, "retired", "B061"+echo+"0004"+card, "45"+echo+"1D")
		expect(t, conn, "beyond the table", "B061"+echo+"0006"+card, "45"+echo+"15")
		expect(t, conn, "index 0", "B061"+echo+"0000"+card, "45"+echo+"0C")
		expect(t, conn, "no factors", "B080"+echo+"00 0001 00"+session+zeroIV+data, "45"+echo+"0F")
		expect(t, conn, "five factors", "B061"+echo+"0001 05"+strings.Repeat(factor, 5), "45"+echo+"0F")
		expect(t, conn, "another session key", "B080"+echo+"00 0001"+card+"01"+zeroIV+zeroIV+data, "45"+echo+"0F")
		expect(t, conn, "half a block", "B091"+echo+"0001"+card+"0004 01020304", "45"+echo+"0F")
		expect(t, conn, "nothing", "B092"+echo+"0001"+card+"0000", "45"+echo+"0F")
		expect(t, conn, "still in step", "B061"+echo+"0001"+card, fmt.Sprintf("41"+echo+"%X", key[:]))
	})
}

// TestHostile asks every command of a key without the right, in every size of
// its fields, and gets nothing.
func TestHostile(t *testing.T) {
	onBothPaths(t, func(t *testing.T, loops int) {
		conn := serve(t, sjl05.Settings{}, loops, nil)
		for n := range 70 {
			data := fmt.Sprintf("%04X%s", n, strings.Repeat("00", n))
			for _, alg := range []string{session, noneOf} {
				expect(t, conn, "B080", "B080"+echo+"00 0003"+card+alg+zeroIV+data, "45"+echo+"1C")
				expect(t, conn, "B081", "B081"+echo+"00 0003"+card+alg+zeroIV+"00000000"+data, "45"+echo+"1C")
			}
			expect(t, conn, "B083", "B083"+echo+"00 0003"+card+zeroIV+data, "45"+echo+"1C")
			expect(t, conn, "B084", "B084"+echo+"00 0003"+card+zeroIV+"00000000"+data, "45"+echo+"1C")
			want := "1C"
			if n == 0 || n%8 != 0 {
				want = "0F"
			}
			expect(t, conn, "B091", "B091"+echo+"0003"+card+data, "45"+echo+want)
			expect(t, conn, "B092", "B092"+echo+"0003"+card+data, "45"+echo+want)
		}
		for _, levels := range []string{"00", card, "02" + factor + factor} {
			want := "1C"
			if levels == "00" {
				want = "0F"
			}
			expect(t, conn, "B061", "B061"+echo+"0003"+levels, "45"+echo+want)
		}
	})
}

// A request whose end cannot be known is refused, and the connection with it.
func TestOutOfStep(t *testing.T) {
	onBothPaths(t, func(t *testing.T, loops int) {
		for name, c := range map[string]struct{ request, reply string }{
			"unknown command":   {"B062" + echo + "0001" + card, "45" + echo + "44"},
			"another class":     {"D102" + echo, "45" + echo + "44"},
			"our own frame":     {hex.EncodeToString([]byte("\x00\x06HEADNC\x00\x06HEADNC")), "45 4845 4144 4E43 0006 44"},
			"too many factors":  {"B061" + echo + "0001 FF" + strings.Repeat(factor, 3), "45" + echo + "50"},
			"data of 64 KiB":    {"B091" + echo + "0001" + card + "FFFF", "45" + echo + "50"},
			"one byte too many": {"B091" + echo + "0001" + card + fmt.Sprintf("%04X", 2048-22), "45" + echo + "50"},
		} {
			conn := serve(t, sjl05.Settings{}, loops, nil)
			expect(t, conn, name, c.request, c.reply)
			if n, err := conn.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
				t.Errorf("%s: %d bytes more, %v", name, n, err)
			}
		}
	})
}

// Requests in one write, and one in many, are answered in their order.
func TestPipelining(t *testing.T) {
	onBothPaths(t, func(t *testing.T, loops int) {
		conn := serve(t, sjl05.Settings{}, loops, nil)
		var requests, replies []byte
		for i := range 300 {
			head := fmt.Sprintf("%016X", i)
			requests = append(requests, unhex(t, "B081"+head+"01 0001"+card+session+zeroIV+"A3743BDA"+mac1Text)...)
			replies = append(replies, unhex(t, "41"+head)...)
			requests = append(requests, unhex(t, "B061"+head+"0003"+card)...)
			replies = append(replies, unhex(t, "45"+head+"1C")...)
		}
		go func() {
			for rest := requests; len(rest) > 0; {
				n := min(len(rest), 1+len(rest)%97)
				if _, err := conn.Write(rest[:n]); err != nil {
					return
				}
				rest = rest[n:]
			}
		}()
		got := make([]byte, len(replies))
		if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, replies) {
			t.Errorf("other replies than asked for, in another order or none: %v", err)
		}
	})
}

// A client that does not finish its request is not waited for.
func TestSlowSender(t *testing.T) {
	onBothPaths(t, func(t *testing.T, loops int) {
		conn := serve(t, sjl05.Settings{}, loops, func(s *protocol.Server) {
			s.Limits = protocol.DefaultLimits()
			s.Limits.Frame = 50 * time.Millisecond
		})
		if _, err := conn.Write(unhex(t, "B080"+echo+"00 0001"+card)); err != nil {
			t.Fatal(err)
		}
		if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("%d bytes, %v", n, err)
		}
	})
}

// A drain answers what has arrived.
func TestDrain(t *testing.T) {
	onBothPaths(t, func(t *testing.T, loops int) {
		var server *protocol.Server
		conn := serve(t, sjl05.Settings{}, loops, func(s *protocol.Server) { server = s })
		expect(t, conn, "before", "B061"+echo+"0003"+card, "45"+echo+"1C")
		if _, err := conn.Write(unhex(t, strings.Repeat("B061"+echo+"0003"+card, 100))); err != nil {
			t.Fatal(err)
		}
		if err := server.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		got, err := io.ReadAll(conn)
		if err != nil || len(got) != 100*10 {
			t.Errorf("%d bytes of replies, %v", len(got), err)
		}
		for _, c := range server.Stats().Requests {
			if c.Command != "B061" || c.Status != 28 || c.Count != 101 {
				t.Errorf("counted %+v", c)
			}
		}
	})
}

// A client that reads a check value behind the key finds it, with one factor or
// more, and none behind a refusal.
func TestKeyCheck(t *testing.T) {
	onBothPaths(t, func(t *testing.T, loops int) {
		conn := serve(t, sjl05.Settings{KeyCheck: true}, loops, nil)
		key := reference.Key(unhex(t, master)).Diversify(mac.Factor(unhex(t, factor)))
		zeros := reference.Of(keystore.Cipher3DES).Encipher(key, make([]byte, 8))
		expect(t, conn, "derive", "B061"+echo+"0001"+card, fmt.Sprintf("41"+echo+"%X%X00", key[:], zeros[:3]))
		expect(t, conn, "without export", "B061"+echo+"0002"+card, "45"+echo+"1C")
		expect(t, conn, "encipher", "B091"+echo+"0001"+card+"0008 0000000000000000", fmt.Sprintf("41"+echo+"0008%X", zeros))
	})
}

// Factors come with the card's last, or first where that is set.
func TestCardFirst(t *testing.T) {
	onBothPaths(t, func(t *testing.T, loops int) {
		const outer, inner = "1122334455667788", "99AABBCCDDEEFF00"
		key := reference.Key(unhex(t, master)).Diversify(mac.Factor(unhex(t, outer))).Diversify(mac.Factor(unhex(t, inner)))
		want := fmt.Sprintf("41"+echo+"%X", key[:])
		levels := func(conn net.Conn, first, second string) {
			expect(t, conn, "derive", "B061"+echo+"0005 02"+first+second, want)
		}
		levels(serve(t, sjl05.Settings{}, loops, nil), outer, inner)
		levels(serve(t, sjl05.Settings{CardFirst: true}, loops, nil), inner, outer)
	})
}

func TestKeyTable(t *testing.T) {
	table := map[uint16]keystore.Ref{0x0102: {Set: 1, Usage: keystore.UsageLoad, Version: 2}, 7: {Set: 1, Usage: keystore.UsageTAC, Version: 1}}
	conn := serve(t, sjl05.Settings{Keys: table}, -1, nil)
	expect(t, conn, "an index of the table", "B061"+echo+"0102"+card, "45"+echo+"1C") // the key without export
	expect(t, conn, "another usage", "B061"+echo+"0007"+card, "45"+echo+"1C")
	expect(t, conn, "one that it lacks", "B061"+echo+"0001"+card, "45"+echo+"0C")
}

func TestPadding(t *testing.T) {
	padded := " 0018 00002711 02 112233445566 20240315 102031 800000000000"
	plain := mac2Text
	ask := func(s sjl05.Settings, data string) string {
		conn := serve(t, s, -1, nil)
		if _, err := conn.Write(unhex(t, "B080"+echo+"00 0001"+card+session+zeroIV+data)); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 10)
		if _, err := io.ReadFull(conn, got); err != nil {
			t.Fatal(err)
		}
		if got[0] == 'E' {
			return fmt.Sprintf("E%02X", got[9])
		}
		more := make([]byte, 7)
		if _, err := io.ReadFull(conn, more); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%X", append(got[9:], more...)[:4])
	}
	twice := reference.ChainBlocks(reference.Key(unhex(t, master)).Diversify(mac.Factor(unhex(t, factor))).
		SessionKey([8]byte(unhex(t, "5E0F93A701238000"))), reference.Pad(unhex(t, padded)[2:]))
	for _, c := range []struct {
		padding sjl05.Padding
		data    string
		want    string
	}{
		{sjl05.PaddingAuto, plain, "99DE3DE1"},
		{sjl05.PaddingAuto, padded, "99DE3DE1"},
		{sjl05.PaddingAlways, plain, "99DE3DE1"},
		{sjl05.PaddingAlways, padded, fmt.Sprintf("%X", twice[3][:4])},
		{sjl05.PaddingNever, plain, "E0F"},
		{sjl05.PaddingNever, padded, "99DE3DE1"},
	} {
		if got := ask(sjl05.Settings{Padding: c.padding}, c.data); got != c.want {
			t.Errorf("%s of %s: %s, want %s", c.padding, c.data, got, c.want)
		}
	}
}

func TestSettingsRefused(t *testing.T) {
	for _, s := range []sjl05.Settings{{MACSize: 5}, {MACSize: -1}, {Padding: 3}} {
		if _, err := sjl05.New(s); err == nil {
			t.Errorf("%+v is taken", s)
		}
	}
	var p sjl05.Padding
	if err := p.UnmarshalText([]byte("zeros")); err == nil {
		t.Error("an unknown padding is taken")
	}
}
