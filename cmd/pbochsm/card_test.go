package main

import (
	"bufio"
	"fmt"
	"net"
	"testing"
)

// A program asks the card over a socket; the next one finds its memory, and no
// session.
func TestCardOverSocket(t *testing.T) {
	_, addr := listening(t, "card", "serve", "--listen", "127.0.0.1:0", "--seed", "1", "--balance", "100")
	converse := func(steps ...string) {
		t.Helper()
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		in := bufio.NewScanner(conn)
		for i := 0; i < len(steps); i += 2 {
			fmt.Fprintln(conn, steps[i])
			if !in.Scan() || in.Text() != steps[i+1] {
				t.Errorf("%s is answered %q, want %s", steps[i], in.Text(), steps[i+1])
			}
		}
	}
	const choose, chosen = "00A40000 02 3F01", "6F0D8409A00000000386980701A5009000"
	converse(choose, chosen,
		"80500002 0B 01 00001000 001122334455 10", "00000064000001006AE6783F5FB2B0B79000",
		"80520000 0B 20261128 091501 A18D0070 04", "840E52EC9000")
	converse("805C0002 04", "6985", choose, chosen, "805C0002 04", "000010649000",
		"80520000 0B 20261128 091501 A18D0070 04", "6901")
	converse("xyz", `error: "xyz" is no APDU: want hexadecimal digits`)
}
