package main

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

const alice, bob = "correct horse battery", "staple correct horse"

// An order that was issued is given up by two persons, each with a pass-phrase,
// once, and as what was proposed.
func TestTwoPersons(t *testing.T) {
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			hsm, _ := daemon(t)
			cfg := servedConfig(t, hsm)
			onDatabase(t, cfg, database)
			file := configFile(t, cfg)
			furnish(t, file, cfg)
			p := launch(t, "serve", "--config", file)
			till := newTerminal(t, p.line("listening "), 1)
			for range 3 { // the first two are CONSUMED, the last is ISSUED
				if err := till.load(); err != nil {
					t.Fatal(err)
				}
			}
			giveUp(t, file)
			p.stop()
			sound(t, file)
			list := onecard(t, "", "ledger", "account", "list", "--config", file)
			if want := strconv.Itoa(1000000 - 3 + 1); !strings.Contains(list, want) {
				t.Errorf("of three loads one was refunded, and the merchant does not hold %s:\n%s", want, list)
			}
		})
	}
}

// giveUp refunds the first order and writes the last one off.
func giveUp(t *testing.T, file string) {
	t.Helper()
	on := func(passphrase string, args ...string) string {
		t.Helper()
		return strings.TrimSpace(onecard(t, passphrase+"\n", append([]string{"ledger"}, append(args, "--config", file)...)...))
	}
	refused := func(want, passphrase string, args ...string) {
		t.Helper()
		out, stderr, err := tryOnecard(passphrase+"\n", append([]string{"ledger"}, append(args, "--config", file)...)...)
		if err == nil || !strings.Contains(stderr, want) {
			t.Errorf("%v: %v, %s%s", args, err, out, stderr)
		}
	}
	on(alice, "person", "add", "--name", "alice")
	on(bob, "person", "add", "--name", "bob")
	order := func(n int) []string {
		return []string{"--domain", "WEBM", "--trade-id", fmt.Sprintf("b-1-%d", n), "--person", "alice", "--evidence", "load log"}
	}
	refund := on(alice, append([]string{"refund", "propose"}, order(1)...)...)
	refused("status", alice, append([]string{"write-off", "propose"}, order(1)...)...) // CONSUMED: the money is on the card
	writeOff := on(alice, append([]string{"write-off", "propose"}, order(3)...)...)

	approve := func(kind, person, proposal string) []string {
		return []string{kind, "approve", "--person", person, "--proposal", proposal}
	}
	refused("must not be the one who proposed", alice, approve("refund", "alice", refund)...)
	refused("person or pass-phrase refused", alice, approve("refund", "bob", refund)...)
	refused("there is no such thing", bob, approve("write-off", "bob", refund)...)
	refused("there is no such thing", bob, approve("refund", "bob", writeOff)...)
	if list := on("", "refund", "list"); !strings.Contains(list, `"proposal": `+refund) || strings.Contains(list, "approver") || strings.Contains(list, writeOff) {
		t.Errorf("the refunds that were proposed: %s", list)
	}
	on(bob, approve("refund", "bob", refund)...)
	on(bob, approve("write-off", "bob", writeOff)...)
	refused("status", bob, approve("refund", "bob", refund)...)
	refused("status", alice, append([]string{"refund", "propose"}, order(3)...)...)
	if list := on("", "refund", "list"); !strings.Contains(list, `"approver": "bob"`) {
		t.Errorf("the refunds that were approved: %s", list)
	}
	journal := on("", "export")
	for state, n := range map[string]int{"REFUNDED": 1, "WRITTEN_OFF": 1, "CONSUMED": 1} {
		if got := strings.Count(journal, `"state":"`+state+`"`); got != n {
			t.Errorf("%d orders are %s:\n%s", got, state, journal)
		}
	}
	if strings.Contains(journal, alice) || strings.Contains(journal, bob) {
		t.Error("the journal holds a pass-phrase")
	}
}
