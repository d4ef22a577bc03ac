package protocol_test

import (
	"fmt"
	"strings"
	"testing"

	"pbochsm/mac"
)

// purse gives the body of the sample of a kind, to be spoiled.
func purse(t *testing.T, k mac.Kind) string {
	t.Helper()
	for _, op := range sampleOps(t) {
		if op.Kind == k {
			return body(op)
		}
	}
	t.Fatalf("no sample of %v", k)
	return ""
}

// at replaces what stands at a place of s.
func at(s string, place int, with string) string { return s[:place] + with + s[place+len(with):] }

func TestFieldRanges(t *testing.T) {
	load := purse(t, mac.KindLoad)
	buy := purse(t, mac.KindPurchase)
	const ( // places in the body of WA with one factor
		key, count, factor = 2, 8, 9
		random             = 25
		amount             = random + 8 + 4 + 8
		kind               = amount + 8
		terminal           = kind + 2
		date               = terminal + 12
		clock              = date + 8
		mac1               = clock + 6
	)
	for _, tc := range []struct {
		name, body, want string // want: the status
	}{
		{"as it should be", load, "00"},
		{"lower case", "WA" + strings.ToLower(load[2:]), "00"},
		{"LMK 00", load + "%00", "00"},
		{"BCD digit A in the year", at(load, date, "20A4"), "15"},
		{"BCD digit F in the time", at(load, clock, "2F"), "15"},
		{"date 0230", at(load, date, "20240230"), "15"},
		{"date 0229 of no leap year", at(load, date, "20230229"), "15"},
		{"month 13", at(load, date, "20241301"), "15"},
		{"day 00", at(load, date, "20240100"), "15"},
		{"year 0000", at(load, date, "00000101"), "15"},
		{"hour 24", at(load, clock, "240000"), "15"},
		{"minute 60", at(load, clock, "006000"), "15"},
		{"second 60", at(load, clock, "000060"), "15"},
		{"type 00", at(load, kind, "00"), "15"},
		{"type of an unload", at(load, kind, "03"), "15"},
		{"type of a purchase", at(load, kind, "06"), "15"},
		{"no factor where one belongs", load[:count] + "0" + load[factor+16:], "15"},
		{"two factors where one belongs", load[:count] + "2" + strings.Repeat("0", 16) + load[factor:], "15"},
		{"count of factors without them", at(load, count, "2"), "15"},
		{"five factors", load[:count] + "5" + strings.Repeat("0", 64) + load[factor:], "15"},
		{"count of factors A", at(load, count, "A"), "15"},
		{"no digit in the set", at(load, key, "g"), "15"},
		{"no digit in the factor", at(load, factor+7, " "), "15"},
		{"no digit in the random", at(load, random, "-"), "15"},
		{"no digit in MAC1", at(load, mac1+7, "G"), "15"},
		{"full-width digit", at(load, amount, "\uff10"), "15"},
		{"amount in another sign", at(load, amount, "+"), "15"},
		{"one digit after the end", load + "0", "15"},
		{"one digit less", load[:len(load)-1], "15"},
		{"nothing after the command", "WA", "15"},
		{"nothing after the key", load[:count], "15"},
		{"LMK 01", load + "%01", "13"},
		{"LMK 99", load + "%99", "13"},
		{"LMK without digits", load + "%", "15"},
		{"LMK in letters", load + "%0x", "15"},
		{"LMK of three digits", load + "%000", "15"},
		{"space at the end", load + " ", "15"},
		{"other MAC1", at(load, mac1, "00000000"), "01"},
		{"other amount", at(load, amount, "00000065"), "01"},
		{"other terminal", at(load, terminal, "0"), "01"},
		{"other card", at(load, factor+8, "9"), "01"},
		{"other set", at(load, key, "09"), "12"},
		{"other version", at(load, key+2, "02"), "12"},
		{"other algorithm", at(load, key+4, "01"), "27"},
		{"purchase", buy, "00"},
		{"authentication code of 9 bytes", buy[:len(buy)-2] + "09" + strings.Repeat("00", 9), "15"},
		{"authentication code of 10 bytes", buy[:len(buy)-2] + "0A" + strings.Repeat("00", 10), "15"},
		{"authentication code cut short", buy[:len(buy)-2] + "0900", "15"},
		{"no length of the authentication code", buy[:len(buy)-2], "15"},
		{"NC with a field", "NC0", "15"},
		{"NO without a mode", "NO", "15"},
		{"NO of another mode", "NO02", "15"},
		{"NO of compliance with a field", "NO010", "15"},
		{"NO with a field", "NO000", "15"},
		{"N0 without a count", "N0", "15"},
		{"N0 of none", "N0000", "15"},
		{"N0 in hexadecimal", "N00A0", "15"},
		{"N0 of one", "N0001", "00"},
		{"N0 of the most", "N0999", "00"},
		{"N0 with a field", "N00010", "15"},
		{"N0 with LMK 00", "N0001%00", "00"},
		{"B2 of nothing", "B20000", "00"},
		{"B2 with more than it says", "B20001xy", "15"},
		{"B2 with less than it says", "B20003xy", "15"},
		{"B2 without a length", "B2", "15"},
		{"B2 of a length in letters", "B2000gxy", "15"},
		{"B2 with LMK 01", "B20002xy%01", "13"},
		{"unknown command", "WZ", "68"},
		{"lower-case command", "nc", "68"},
		{"command of zeros", "\x00\x00", "68"},
		{"a command of the future", "WW" + load[2:], "68"},
	} {
		t.Run(tc.name, func(t *testing.T) { expectStatus(t, tc.body, tc.want) })
	}
}

func TestKeyCheckValueForms(t *testing.T) {
	for _, tc := range []struct{ name, body, want string }{
		{"shortest", "BU021K001", "00"},
		{"with the scheme U", "BU021UK001", "00"},
		{"with the scheme X", "BU021XK001", "00"},
		{"lower-case index", "BU021Kfff", "21"},
		{"length as stored", "BU02FK001", "00"},
		{"6 digits wanted", "BU021K001;001", "00"},
		{"16 digits wanted", "BU021K001;000", "00"},
		{"type FF with its key type", "BUFF1K001;002", "00"},
		{"type FF with both", "BUFFFK001;FFF;001", "00"},
		{"other type with both", "BU021K001;002;001", "00"},
		{"with LMK 00", "BU021K001;001%00", "00"},
		{"with LMK 01", "BU021K001;001%01", "13"},
		{"type FF without its key type", "BUFF1K001", "15"},
		{"single length", "BU020K001", "27"},
		{"triple length", "BU022K001", "27"},
		{"no such length", "BU023K001", "15"},
		{"no digit in the type code", "BU0G1K001", "15"},
		{"no index", "BU021K", "15"},
		{"index cut short", "BU021K00", "15"},
		{"index of no digits", "BU021K00G", "15"},
		{"a key under the LMK", "BU021U" + strings.Repeat("0", 32), "15"},
		{"check value type 2", "BU021K001;002", "15"},
		{"group cut short", "BU021K001;00", "15"},
		{"three groups", "BUFF1K001;002;001;001", "15"},
		{"a hole in the table", "BU021K005", "12"},
		{"a retired key", "BU021K006", "29"},
		{"above the table", "BU021K007", "21"},
		{"nothing", "BU", "15"},
	} {
		t.Run(tc.name, func(t *testing.T) { expectStatus(t, tc.body, tc.want) })
	}
}

// expectStatus asks with and without a trailer; both must get the status and,
// if it is no 00, nothing else but the trailer.
func expectStatus(t *testing.T, body, want string) {
	t.Helper()
	c := dial(t, start(t, newServer(t)))
	for _, trailer := range []string{"", "\x19", "\x19\x19trailer%01", "\x19" + strings.Repeat("t", 32)} {
		if strings.HasPrefix(body, "B2") && want == "15" && trailer != "" {
			continue // where the data end is not known, so the trailer is part of them
		}
		reply := ask(t, c, "HEAD", body, trailer)
		code := body[:1] + string(rune(body[1]+1))
		if !strings.HasPrefix(reply, "HEAD"+code+want) || !strings.HasSuffix(reply, trailer) {
			t.Errorf("trailer %q: reply %q, want status %s", trailer, reply, want)
		}
		if n := len("HEADxxyy") + len(trailer); want != "00" && len(reply) != n {
			t.Errorf("trailer %q: the refusal %q has more than it should", trailer, reply)
		}
	}
}

// What a command without a field, or with one too many, gets must not depend
// on the header length.
func TestHeaderLengths(t *testing.T) {
	for _, n := range []int{0, 1, 4, 12, 255} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			s := newServer(t)
			s.Format.Header, s.Format.Limit = n, 2000
			c := dial(t, start(t, s))
			header := strings.Repeat("\x19", n)
			for request, want := range map[string]string{
				publishedLoad: "WB003A845BF0", publishedLoad + "0": "WB15", "NO00": "NP0001990007-E00000000", "NO01": "NP000", "ZZ": "Z[68",
			} {
				if got := ask(t, c, header, request); got != header+want {
					t.Errorf("%s: reply %q, want %q", request, got, want)
				}
			}
		})
	}
}
