package protocol_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/protocol"
	"pbochsm/vectors"
)

var updateDocs = flag.Bool("update-docs", false, "write the generated parts of docs/protocol.md")

const wireText = "../docs/protocol.md"

// documentFrames are the exchanges that the text shows. Header, command and
// fields of each request are apart, for the eye.
var documentFrames = []struct{ title, request string }{
	{"Is it there? `NC`", "HEAD NC"},
	{"Four bytes back, with `B2`", "HEAD B2 0004 PING"},
	{"The MAC of a message, `M6`: algorithm 3, padding 2, as 16 digits", "HEAD M6 0 2 1 3 2 FFF IC00100 0010 0200B23A48012345"},
	{"The same message in two parts: the first is answered with the IV of the second", "HEAD M6 1 2 1 3 2 FFF IC00100 0008 0200B23A"},
	{"", "HEAD M6 3 2 1 3 2 FFF IC00100 F64BF0C9FCEDB130 0008 48012345"},
	{"Its left half verified, `M8`", "HEAD M8 0 2 0 3 2 FFF IC00100 0010 0200B23A48012345 8D77340A"},
	{"The published load of a deposit: MAC1 `2988AE5A` is right, MAC2 is `3A845BF0`",
		"HEAD WA 010100 0 11223344 0000 00000000 00001000 01 001122334455 20111221 214822 2988AE5A"},
	{"The same with the last bit of MAC1 wrong", "HEAD WA 010100 0 11223344 0000 00000000 00001000 01 001122334455 20111221 214822 2988AE5B"},
	{"The same on a day that does not exist", "HEAD WA 010100 0 11223344 0000 00000000 00001000 01 001122334455 20110229 214822 2988AE5A"},
	{"The same with one factor too many for the key", "HEAD WA 010100 1 0000000000000001 11223344 0000 00000000 00001000 01 001122334455 20111221 214822 2988AE5A"},
	{"The same with a key version that nobody has", "HEAD WA 01FF00 0 11223344 0000 00000000 00001000 01 001122334455 20111221 214822 2988AE5A"},
	{"A real purse's receipt of a load, `WC`", "HEAD WC 020100 0 00001C37 0000 00001C37 02 000001000050 20140825 103100 ED0F8755"},
	{"A terminal's part of a purchase, `WI`, and the card's answer to it, `WK`", "HEAD WI 010100 0 11223344 0000 00000001 00001000 06 001122334455 20120229 135100 00"},
	{"", "HEAD WK 010100 0 11223344 0000 00000001 00001000 56988A13"},
	{"The same purchase with the serial of the daemon, `WU`, which is told to keep serials", "HEAD WU 010100 0 11223344 0000 00001000 06 001122334455 20120229 135100 00"},
	{"Three receipts in one frame, `WS`: right, wrong, and of a key that nobody has", "HEAD WS 0003" +
		" WC 020100 0 00001C37 0000 00001C37 02 000001000050 20140825 103100 ED0F8755" +
		" WC 020100 0 00001C37 0000 00001C37 02 000001000050 20140825 103100 ED0F8756" +
		" WC 02FF00 0 00001C37 0000 00001C37 02 000001000050 20140825 103100 ED0F8755"},
	{"A command that does not exist, with a trailer", "HEAD QQ \x19trail"},
}

// vectorFrames are the conformance vectors "level-1" of the operations that have
// no frame above, as requests, and the receipts among them in one frame.
func vectorFrames(t *testing.T) []struct{ title, request string } {
	t.Helper()
	names := map[string]string{}
	for _, c := range protocol.Specification() {
		names[c.Code] = c.Name + " " + c.Chinese
	}
	var frames []struct{ title, request string }
	var receipts []string
	for _, k := range mac.Kinds() {
		f, err := vectors.Read(k.String())
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(f.Vectors, func(v vectors.Vector) bool { return v.ID == k.String()+"/level-1" })
		if i < 0 {
			t.Fatalf("%s has no vector level-1", k)
		}
		op, err := f.Vectors[i].Op()
		if err != nil {
			t.Fatal(err)
		}
		request := spaced(op)
		if claim, ok := k.Claims(); ok && claim == mac.TAC {
			receipts = append(receipts, request)
		}
		code := request[:2]
		shown := slices.ContainsFunc(documentFrames, func(d struct{ title, request string }) bool {
			return strings.HasPrefix(d.request, "HEAD "+code)
		})
		if !shown {
			frames = append(frames, struct{ title, request string }{fmt.Sprintf("`%s` %s", code, names[code]), "HEAD " + request})
		}
	}
	many := fmt.Sprintf("HEAD WS %04X %s", len(receipts), strings.Join(receipts, " "))
	return append(frames, struct{ title, request string }{"A receipt of every kind in one `WS`", many})
}

// spaced spells an operation with a blank before each field.
func spaced(op mac.Op) string {
	s := fmt.Sprintf("%s %02X%02X%02X %d", body(op)[:2], op.Key.Set, op.Key.Version, op.Key.Algorithm, op.Levels)
	for _, f := range op.Factors[:op.Levels] {
		s += fmt.Sprintf(" %X", f[:])
	}
	for _, f := range op.Kind.Inputs() {
		s += " "
		if f.Counted() {
			s += fmt.Sprintf("%02X", len(f.Bytes(&op)))
		}
		s += fmt.Sprintf("%X", f.Bytes(&op))
	}
	return s
}

// counting gives whoever asks for a serial the next one, of all terminals.
type counting struct {
	mac.HSM
	last byte
}

func (c *counting) Do(ctx context.Context, ops []mac.Op) error {
	for i := range ops {
		kind, needed := ops[i].Kind.WithSerial()
		if !needed {
			continue
		}
		c.last++
		mac.TerminalSerial.Bytes(&ops[i])[3] = c.last
		was := ops[i].Kind
		ops[i].Kind = kind
		defer func() { ops[i].Kind = was }()
	}
	return c.HSM.Do(ctx, ops)
}

func TestWireTextIsTrue(t *testing.T) {
	have, err := os.ReadFile(wireText)
	if err != nil {
		t.Fatal(err)
	}
	want := string(have)
	want = fill(t, want, "statuses", statusTable())
	want = fill(t, want, "commands", commandTables())
	want = fill(t, want, "verdicts", verdictTable())
	want = fill(t, want, "usages", usageTable())
	want = fill(t, want, "frames", framesText(t))
	if *updateDocs {
		if err := os.WriteFile(wireText, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(have) {
		t.Errorf("%s is not what the program does; look at the change with: go test ./protocol -run WireText -update-docs", wireText)
	}
}

// fill puts text between the markers of a section.
func fill(t *testing.T, document, section, text string) string {
	t.Helper()
	begin, end := "<!-- "+section+" -->\n", "<!-- /"+section+" -->"
	before, rest, ok := strings.Cut(document, begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no section %q", wireText, section)
	}
	return before + begin + text + end + after
}

func statusTable() string {
	var b strings.Builder
	b.WriteString("\n| status | meaning | 含义 |\n|---|---|---|\n")
	for _, s := range protocol.Statuses() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.Status, s.Text, s.Chinese)
	}
	return b.String() + "\n"
}

func verdictTable() string {
	texts := map[protocol.Status]protocol.StatusText{}
	for _, s := range protocol.Statuses() {
		texts[s.Status] = s
	}
	var b strings.Builder
	b.WriteString("\n| digit | status | meaning | 含义 |\n|---|---|---|---|\n")
	for digit, s := range protocol.Verdicts() {
		fmt.Fprintf(&b, "| `%d` | `%s` | %s | %s |\n", digit, s, texts[s].Text, texts[s].Chinese)
	}
	return b.String() + "\n"
}

func usageTable() string {
	var b strings.Builder
	b.WriteString("\n| number | usage |\n|---|---|\n")
	for i, name := range keystore.Usages() {
		if keystore.Usage(i + 1).OfCard() {
			fmt.Fprintf(&b, "| `%02X` | `%s` |\n", i+1, name)
		}
	}
	return b.String() + "\n"
}

func commandTables() string {
	var b strings.Builder
	for _, c := range protocol.Specification() {
		fmt.Fprintf(&b, "\n### `%s` → `%s` %s %s\n\n", c.Code, c.Reply, c.Name, c.Chinese)
		forms(&b, "request", c.Fields)
		forms(&b, "reply after `00`", c.Answer)
	}
	return b.String() + "\n"
}

func forms(b *strings.Builder, title string, fields []protocol.Form) {
	if len(fields) == 0 {
		fmt.Fprintf(b, "%s: no fields\n\n", title)
		return
	}
	fmt.Fprintf(b, "| %s | | |\n|---|---|---|\n", title)
	for _, f := range fields {
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", f.Digits, f.Name, f.Chinese)
	}
	b.WriteByte('\n')
}

// framesText asks a daemon with the published keys and prints what went over
// the wire.
func framesText(t *testing.T) string {
	t.Helper()
	snapshot, err := vectors.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	live := keystore.NewLive(snapshot)
	server := &protocol.Server{HSM: &counting{HSM: mac.NewEngine(live, reference.Backend{})}, Keys: live, Rand: bytes.NewReader(nil), Now: time.Now}
	conn := dialServer(t, server)

	var b strings.Builder
	for _, f := range slices.Concat(documentFrames, vectorFrames(t)) {
		if f.title != "" {
			fmt.Fprintf(&b, "\n%s:\n\n", f.title)
		}
		payload := strings.ReplaceAll(f.request, " ", "")
		frame := append([]byte{byte(len(payload) >> 8), byte(len(payload))}, payload...)
		if _, err := conn.Write(frame); err != nil {
			t.Fatal(err)
		}
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			t.Fatal(err)
		}
		reply := make([]byte, int(length[0])<<8|int(length[1]))
		if _, err := io.ReadFull(conn, reply); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "```\n> %s\n  %s\n< %s\n  %s\n```\n", printable(f.request), wrap(frame),
			printable(string(reply[:4])+" "+string(reply[4:6])+" "+string(reply[6:8])+" "+string(reply[8:])), wrap(append(length[:], reply...)))
	}
	return b.String() + "\n"
}

func printable(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\x19", "␙")) }

func wrap(b []byte) string {
	digits := strings.ToUpper(hex.EncodeToString(b))
	var lines []string
	for ; len(digits) > 96; digits = digits[96:] {
		lines = append(lines, digits[:96])
	}
	return strings.Join(append(lines, digits), "\n  ")
}

func dialServer(t *testing.T, s *protocol.Server) net.Conn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(context.Background(), l) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	t.Cleanup(func() {
		_ = conn.Close()
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return conn
}
