package main

import (
	"bytes"
	"encoding/hex"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestSJL05Guide runs what docs/sjl05.md shows: the commands that make keys and
// start the daemon, every frame byte for byte, and the client that has nothing of
// ours.
func TestSJL05Guide(t *testing.T) {
	for program, required := range map[string]string{"python3": "REQUIRE_PYTHON", "openssl": "REQUIRE_OPENSSL"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv(required) != "" {
				t.Fatal(err)
			}
			t.Skipf("%v; %s=1 makes this a failure", err, required)
		}
	}
	const name = "../../docs/sjl05.md"
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	port, second := unusedPort(t), unusedPort(t)
	text := strings.ReplaceAll(string(content), "127.0.0.1:1505", "127.0.0.1:"+second)
	text = strings.ReplaceAll(text, `("127.0.0.1", 1505)`, `("127.0.0.1", `+second+`)`)
	runExamples(t, name, text, readmeDir(t), port)
	replayFrames(t, text, "127.0.0.1:"+second)
}

// unusedPort gives a port that nobody listens on.
func unusedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// replayFrames sends each line "> …" of the frames that text shows, and compares
// what comes with the line "< …" below it.
func replayFrames(t *testing.T, text, addr string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	pairs := regexp.MustCompile(`(?m)^> (.*)\n< (.*)$`).FindAllStringSubmatch(text, -1)
	if len(pairs) < 9 {
		t.Fatalf("the page shows only %d frames", len(pairs))
	}
	for _, p := range pairs {
		request, reply := frameBytes(t, p[1]), frameBytes(t, p[2])
		if _, err := conn.Write(request); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(reply))
		if _, err := io.ReadFull(conn, got); err != nil || !bytes.Equal(got, reply) {
			t.Fatalf("> %s\n< %X\nthe page says %s (%v)", p[1], got, p[2], err)
		}
	}
}

func frameBytes(t *testing.T, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
