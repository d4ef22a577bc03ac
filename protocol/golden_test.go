package protocol_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files of testdata")

// A goldenCase is a request and, in the golden file, the reply to it.
type goldenCase struct{ name, request string }

// goldenCases has every command, every status that a request can cause, and
// every part of the frame. The random bytes come from a counter.
func goldenCases(t *testing.T) []goldenCase {
	cases := []goldenCase{
		{"NC diagnostics", "HEADNC"},
		{"NO status", "HEADNO00"},
		{"B2 echo", "HEADB20004PING"},
		{"B2 echo of any byte", "HEADB20006\x00\x19%00\xff"},
		{"N0 random", "HEADN0008"},
		{"BU by index", "HEADBU021K000"},
		{"BU as a payShield client sends it", "HEADBUFF1UK001;002;001"},
		{"BU of 16 digits", "HEADBU021K001;000"},
		{"WA published load", "HEAD" + publishedLoad},
		{"trailer", "HEAD" + publishedLoad + "\x19trailer"},
		{"LMK identifier and trailer", "HEAD" + publishedLoad + "%00\x19"},
		{"header of any byte", "\x00\xff\x19%" + "NC"},
		{"lower-case digits", "HEADWA" + strings.ToLower(publishedLoad[2:])},

		{"12 no such key", "HEAD" + strings.Replace(publishedLoad, "WA010100", "WA090100", 1)},
		{"13 another LMK", "HEAD" + publishedLoad + "%01\x19trailer"},
		{"15 field out of range", "HEAD" + strings.Replace(publishedLoad, "20111221", "20110230", 1)},
		{"15 bytes after the last field", "HEAD" + publishedLoad + "0"},
		{"15 trailer too long", "HEAD" + publishedLoad + "\x19" + strings.Repeat("t", 33)},
		{"21 index out of range", "HEADBU021KFFF"},
		{"27 algorithm does not fit", "HEAD" + strings.Replace(publishedLoad, "WA010100", "WA010101", 1)},
		{"28 usage does not fit", "HEADWE" + strings.Replace(publishedLoad[2:], "0000100001", "00001000", 1)},
		{"29 retired key", "HEAD" + strings.Replace(publishedLoad, "WA010100", "WA030100", 1)},
		{"51 no command", "HEAD"},
		{"68 unknown command", "HEADZZ\x19trailer"},
		{"80 longer than the limit", "HEADB2FFFF" + strings.Repeat("x", 16<<10)},
	}
	cases = append(cases,
		goldenCase{"WS many verdicts", "HEAD" + manyRecords(t)},
		goldenCase{"15 a record too few", "HEAD" + strings.Replace(manyRecords(t), "WS0006", "WS0007", 1)},
	)
	for _, op := range sampleOps(t) {
		request := "HEAD" + body(op)
		cases = append(cases, goldenCase{request[4:6] + " " + op.Kind.String(), request})
		if _, ok := op.Kind.Claims(); ok {
			cases = append(cases, goldenCase{"01 " + op.Kind.String(), request[:len(request)-8] + "00000000"})
		}
	}
	return cases
}

// counter is randomness that a golden file can hold.
type counter byte

func (c *counter) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(*c)
		*c++
	}
	return len(p), nil
}

func TestGoldenFrames(t *testing.T) {
	s := newServer(t)
	s.Rand = new(counter)
	addr := start(t, s)
	var got bytes.Buffer
	for _, tc := range goldenCases(t) {
		request := frame(tc.request)
		c := dial(t, addr)
		if _, err := c.Write(request); err != nil {
			t.Fatal(err)
		}
		reply := frame(readFrame(t, c))
		fmt.Fprintf(&got, "# %s\n> %s\n< %s\n", tc.name, abbreviated(request), strings.ToUpper(hex.EncodeToString(reply)))
		if !plainRefusal(tc.request, string(reply[2:])) {
			t.Errorf("%s: the refusal %q says too much", tc.name, reply)
		}
		_ = c.Close()
	}
	compareGolden(t, "frames.txt", got.Bytes())
}

// plainRefusal tells whether a reply is done or, if not, has nothing in it but
// header, code, status and the trailer of the request.
func plainRefusal(request, reply string) bool {
	if reply[6:8] == "00" {
		return true
	}
	rest := reply[8:]
	return rest == "" || (rest[0] == 0x19 && strings.HasSuffix(request, rest))
}

// abbreviated is b in digits, a long tail of one byte told by its count.
func abbreviated(b []byte) string {
	text := strings.ToUpper(hex.EncodeToString(b))
	last := text[len(text)-2:]
	n := 0
	for strings.HasSuffix(text[:len(text)-2*n], last) {
		n++
	}
	if n < 64 {
		return text
	}
	return fmt.Sprintf("%s %s*%d", text[:len(text)-2*n], last, n)
}

func compareGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(got, want) {
		return
	}
	gotLines, wantLines := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range gotLines {
		if i >= len(wantLines) || gotLines[i] != wantLines[i] {
			t.Fatalf("%s differs at line %d:\n got %s\nwant %s", path, i+1, gotLines[i], wantLines[min(i, len(wantLines)-1)])
		}
	}
	t.Fatalf("%s has %d lines, want %d", path, len(gotLines), len(wantLines))
}
