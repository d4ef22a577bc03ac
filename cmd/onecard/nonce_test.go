package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"pbochsm/cmd/onecard/internal/api/signature"
	"pbochsm/cmd/onecard/internal/config"
)

// A signed request that one process has taken is refused by every other on the
// same ledger, also by one that is started later.
func TestReplayToAnotherProcess(t *testing.T) {
	const key = "signature-key-of-the-tests"
	hsm, _ := daemon(t)
	cfg := servedConfig(t, hsm)
	cfg.Metrics = ""
	cfg.Database.SQLite, cfg.Database.Postgres = "", config.NewSecret(postgres(t))
	for i := range cfg.Domains {
		if cfg.Domains[i].Code == "WEBM" {
			cfg.Domains[i].Signature = config.NewSecret(key)
		}
	}
	file := configFile(t, cfg)
	furnish(t, file, cfg)
	first, second := launch(t, "serve", "--config", file), launch(t, "serve", "--config", file)
	one, two := first.line("listening "), second.line("listening ")

	_, body, err := newTerminal(t, one, 1).request()
	if err != nil {
		t.Fatal(err)
	}
	signed := func(nonce string) string {
		return (&signature.Request{
			Method: "POST", Path: "/prepay/accttranssupply", Time: time.Now().Unix(), Nonce: nonce, Body: []byte(body),
		}).Make(key)
	}
	header := signed("nonce-0123456789")
	if got := askSigned(t, one, body, header); !strings.Contains(got, `"0000"`) {
		t.Fatalf("the first: %s", got)
	}
	for _, addr := range []string{one, two} {
		if got := askSigned(t, addr, body, header); !strings.Contains(got, `"2001"`) {
			t.Errorf("the same again: %s", got)
		}
	}
	first.stop()
	third := launch(t, "serve", "--config", file)
	three := third.line("listening ")
	if got := askSigned(t, three, body, header); !strings.Contains(got, `"2001"`) {
		t.Errorf("the same to a process that started later: %s", got)
	}
	if got := askSigned(t, three, body, signed("nonce-0123456780")); !strings.Contains(got, `"0000"`) {
		t.Errorf("a retry with a header of its own: %s", got)
	}
	if got := askSigned(t, two, body, ""); !strings.Contains(got, `"2001"`) {
		t.Errorf("without a header: %s", got)
	}
	second.stop()
	third.stop()
	sound(t, file)
}

// askSigned sends a load with an X-Signature.
func askSigned(t *testing.T, addr, body, header string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /prepay/accttranssupply HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n%s: %s\r\nContent-Length: %d\r\n\r\n%s",
		addr, signature.Header, header, len(body), body)
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var text strings.Builder
	if _, err := bufio.NewReader(r.Body).WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}
