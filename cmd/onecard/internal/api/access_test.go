package api_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pbochsm/cmd/onecard/internal/api"
	"pbochsm/cmd/onecard/internal/api/contract"
	"pbochsm/cmd/onecard/internal/api/signature"
	"pbochsm/cmd/onecard/internal/api/token"
	"pbochsm/cmd/onecard/internal/recharge"
)

// An unknown domain, a domain's wrong token and no domain's token get one
// answer.
func TestTokens(t *testing.T) {
	b := newBench(t, func(o *api.Options) {
		o.Domains = append(o.Domains, api.Domain{
			Code: "WEBM", Key: api.NewKey("key-of-WEBM"), Endpoints: []string{"/tuxedo/now"}, Token: token.Rule{All: true},
			ChannelKeys: map[string]api.Key{"7a": api.NewKey("key-of-7A")},
		})
	})
	now := func(domain, channel string) fields {
		return fields{"OrigionDomain": domain, "ChannelNo": channel}
	}
	all, _ := token.Make(token.All, token.UTF8, now("WEBM", "01").object(), "key-of-WEBM")
	allOfAPPM, _ := token.Make(token.All, token.UTF8, now("APPM", "01").object(), appKey)
	lower := now("APPM", "01").signed(appKey)
	lower["Token"] = strings.ToLower(lower["Token"])
	verbatim := now("appm", "7a")
	verbatim["Token"], _ = token.Make(token.Verbatim, token.UTF8, verbatim.object(), appKey)
	for name, c := range map[string]struct {
		f    fields
		code string
	}{
		"good":                   {now("APPM", "01").signed(appKey), "0000"},
		"digits in lower case":   {lower, "0000"},
		"verbatim":               {verbatim, "0000"},
		"all, where configured":  {withToken(now("WEBM", "01"), all), "0000"},
		"all, elsewhere":         {withToken(now("APPM", "01"), allOfAPPM), "2001"},
		"key of the channel":     {now("WEBM", "7a").signed("key-of-7A"), "0000"},
		"of the same channel":    {now("WEBM", "7A").signed("key-of-7A"), "0000"},
		"key of the domain then": {now("WEBM", "7A").signed("key-of-WEBM"), "2001"},
		"key of another domain":  {now("APPM", "01").signed(termKey), "2001"},
		"no such domain":         {now("NONE", "01").signed(appKey), "2001"},
		"no such domain, no key": {now("NONE", "01").signed(""), "2001"},
		"zeros":                  {withToken(now("APPM", "01"), strings.Repeat("0", 32)), "2001"},
		"short":                  {withToken(now("APPM", "01"), "00"), "2001"},
		"not hexadecimal":        {withToken(now("APPM", "01"), strings.Repeat("x", 32)), "1003"},
	} {
		if a := b.send("/tuxedo/now", c.f.json()); a.code() != c.code {
			t.Errorf("%s: %s, want %s", name, a.body, c.code)
		}
	}
}

// Whoever knew the key that stands in for that of an unknown domain would be
// nobody still.
func TestNobody(t *testing.T) {
	b := newBench(t, nil)
	var first [16]byte // of the randomness that the bench gives the API
	if _, err := rand.NewChaCha8([32]byte{1}).Read(first[:]); err != nil {
		t.Fatal(err)
	}
	f := fields{"OrigionDomain": "NONE", "ChannelNo": "01"}.signed(hex.EncodeToString(first[:]))
	if a := b.send("/tuxedo/now", f.json()); a.code() != "2001" {
		t.Errorf("a domain that does not exist, with the key of none: %s", a.body)
	}
	if n := b.service.calls(); n != 0 {
		t.Errorf("the service was asked %d times", n)
	}
}

func withToken(f fields, made string) fields {
	f["Token"] = made
	return f
}

// Every cell of domain × endpoint: the permission is the list's, not the
// token's.
func TestPermissions(t *testing.T) {
	permitted := map[string]string{"AAAA": "", "BBBB": "", "CCCC": ""}
	var paths []string
	for i, e := range contract.Endpoints() {
		paths = append(paths, e.Path)
		code := []string{"AAAA", "BBBB", "CCCC"}[i%3]
		permitted[code] += e.Path + " "
	}
	b := newBench(t, func(o *api.Options) {
		o.Domains = nil
		for code, list := range permitted {
			o.Domains = append(o.Domains, api.Domain{Code: code, Key: api.NewKey(appKey), Endpoints: strings.Fields(list)})
		}
	})
	for code, list := range permitted {
		for _, path := range paths {
			before := b.service.calls()
			a := b.ask(path, valid(path, "OrigionDomain", code))
			want := "2002"
			if strings.Contains(list, path+" ") {
				want = "0000"
			}
			if a.code() != want || (b.service.calls() > before) != (want == "0000") {
				t.Errorf("%s at %s: %s, want %s", code, path, a.body, want)
			}
		}
	}
}

func TestTerminals(t *testing.T) {
	b := newBench(t, nil)
	for terminal, want := range map[string]string{"112233445566": "0000", "112233445567": "2003", "11223344556": "2003"} {
		f := valid("/card/supply", "OrigionDomain", "TERM", "TermNo", terminal).signed(termKey)
		if a := b.ask("/card/supply", f); a.code() != want {
			t.Errorf("terminal %s: %s, want %s", terminal, a.body, want)
		}
	}
}

// Unknown fields are signed and ignored where a domain is configured so.
func TestUnknownFields(t *testing.T) {
	b := newBench(t, func(o *api.Options) { o.Domains[0].Unknown = true })
	if a := b.send(alverify, extended(valid(alverify), "Remark", "one").json()); a.code() != "0000" {
		t.Errorf("a signed unknown field: %s", a.body)
	}
	f := valid(alverify)
	f["Remark"] = "one"
	if a := b.send(alverify, f.json()); a.code() != "2001" {
		t.Errorf("an unknown field that is not signed: %s", a.body)
	}
	if a := b.send(alverify, extended(valid(alverify), "Remark", "a&b").json()); a.code() != "1003" {
		t.Errorf("an unknown field with an ampersand: %s", a.body)
	}
}

func TestSignatures(t *testing.T) {
	key := "signature key of APPM"
	kept := &nonces{used: map[string]time.Time{}}
	b := newBench(t, func(o *api.Options) { o.Domains[0].SignatureKey, o.Nonces = api.NewKey(key), kept })
	f := valid(alverify)
	header := func(nonce string) string {
		return (&signature.Request{
			Method: "POST", Path: alverify, Time: clock.Unix(), Nonce: nonce, Body: []byte(f.json()),
		}).Make(key)
	}
	for _, c := range []struct{ name, header, code string }{
		{"none", "", "2001"},
		{"good", header("0123456789abcdef"), "0000"},
		{"again", header("0123456789abcdef"), "2001"},
		{"another nonce", header("0123456789abcdeg"), "0000"},
		{"cut", header("0123456789abcdeh")[:80], "2001"},
	} {
		if a := b.ask(alverify, f, signature.Header, c.header); a.code() != c.code {
			t.Errorf("%s: %s, want %s", c.name, a.body, c.code)
		}
	}
	if until := kept.used["APPM 0123456789abcdef"]; until.Sub(clock) != 10*time.Minute || len(kept.used) != 2 {
		t.Errorf("kept are %v", kept.used)
	}
	kept.fails = recharge.ErrStore
	if a := b.ask(alverify, f, signature.Header, header("0123456789abcdei")); a.code() != "9004" || a.status != 503 {
		t.Errorf("without a ledger: %d %s", a.status, a.body)
	}
	other := valid("/card/supply", "OrigionDomain", "TERM").signed(termKey)
	if a := b.ask("/card/supply", other); a.code() != "0000" {
		t.Errorf("a domain that need not sign: %s", a.body)
	}
}

// nonces keeps them as a ledger does.
type nonces struct {
	used  map[string]time.Time
	fails error
}

func (n *nonces) TakeNonce(_ context.Context, owner, nonce string, _, until time.Time) error {
	if _, used := n.used[owner+" "+nonce]; used {
		return recharge.ErrConflict
	}
	if n.fails == nil {
		n.used[owner+" "+nonce] = until
	}
	return n.fails
}

func TestSource(t *testing.T) {
	b := newBench(t, func(o *api.Options) { o.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	for _, c := range []struct{ peer, forwarded, want string }{
		{"192.0.2.1:5", "", "192.0.2.1"},
		{"[2001:db8::1]:5", "", "2001:db8::1"},
		{"[::ffff:192.0.2.1]:5", "", "192.0.2.1"},
		{"192.0.2.1:5", "198.51.100.1", "192.0.2.1"}, // not a proxy of ours
		{"10.0.0.1:5", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:5", "203.0.113.1, 198.51.100.1", "198.51.100.1"}, // the left one is anybody's claim
		{"10.0.0.1:5", "198.51.100.1, 10.0.0.2", "198.51.100.1"},
		{"10.0.0.1:5", "nonsense", "10.0.0.1"},
		{"10.0.0.1:5", "", "10.0.0.1"},
	} {
		r := httptest.NewRequest("POST", alverify, strings.NewReader(valid(alverify).json()))
		r.Header.Set("Content-Type", "application/json")
		r.RemoteAddr = c.peer
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		b.do(r)
		q := b.service.asked[b.service.calls()-1].(recharge.AlVerify)
		if q.Source != c.want {
			t.Errorf("%s for %q: source %s, want %s", c.peer, c.forwarded, q.Source, c.want)
		}
	}
}

func TestRates(t *testing.T) {
	at := clock
	b := newBench(t, func(o *api.Options) {
		o.Now = func() time.Time { return at }
		o.Limits.PerDomain = api.Rate{PerSecond: 1, Burst: 3}
		o.Limits.BadTokens = api.Rate{PerSecond: 1, Burst: 4}
	})
	codes := func(n int, f fields) (all string) {
		for range n {
			all += b.ask(alverify, f).code() + " "
		}
		return strings.TrimSpace(all)
	}
	if got := codes(5, valid(alverify)); got != "0000 0000 0000 2004 2004" {
		t.Errorf("five in a burst of three: %s", got)
	}
	at = at.Add(time.Second)
	if got := codes(2, valid(alverify)); got != "0000 2004" {
		t.Errorf("a second later: %s", got)
	}
	at = at.Add(time.Minute)
	bad := withToken(valid(alverify), strings.Repeat("0", 32))
	if got := codes(6, bad); got != "2001 2001 2001 2001 2004 2004" {
		t.Errorf("six wrong tokens in a burst of four: %s", got)
	}
	if got := codes(1, valid(alverify)); got != "2004" {
		t.Errorf("a good token behind them is %s; whoever guesses must not learn that it was right", got)
	}
	at = at.Add(time.Second)
	if got := codes(1, valid(alverify)); got != "0000" {
		t.Errorf("a second later: %s", got)
	}
}

func TestRateOfSource(t *testing.T) {
	b := newBench(t, func(o *api.Options) { o.Limits.PerSource = api.Rate{PerSecond: 0.001, Burst: 2} })
	for i, want := range []string{"1001", "1001", "2004"} {
		a := b.send(alverify, "no JSON")
		if a.code() != want || (want == "2004") != (a.status == 429 && a.header.Get("Retry-After") != "") {
			t.Errorf("request %d: %d %s, want %s", i, a.status, a.body, want)
		}
	}
}

// What is beyond the places is told at once to come again.
func TestInFlight(t *testing.T) {
	b := newBench(t, func(o *api.Options) { o.Limits.InFlight = 2 })
	b.service.wait = make(chan struct{})
	done := make(chan answer, 2)
	for range 2 {
		go func() { done <- b.ask(alverify, valid(alverify)) }()
	}
	for b.service.calls() < 2 {
		time.Sleep(time.Millisecond)
	}
	if a := b.ask(alverify, valid(alverify)); a.code() != "9001" || a.status != 503 {
		t.Errorf("the third: %d %s", a.status, a.body)
	}
	close(b.service.wait)
	for range 2 {
		if a := <-done; a.code() != "0000" {
			t.Errorf("one of the two: %s", a.body)
		}
	}
	if a := b.ask(alverify, valid(alverify)); a.code() != "0000" {
		t.Errorf("when they are done: %s", a.body)
	}
}

func TestKeysCannotBePrinted(t *testing.T) {
	d := api.Domain{Code: "APPM", Key: api.NewKey(appKey), ChannelKeys: map[string]api.Key{"01": api.NewKey(termKey)}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		for _, v := range []any{d, &d, d.Key, &d.Key} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, appKey) || strings.Contains(text, termKey) {
				t.Errorf("%s printed %s", verb, text)
			}
		}
	}
}

func TestOptions(t *testing.T) {
	for name, change := range map[string]func(*api.Options){
		"no service":         func(o *api.Options) { o.Service = nil },
		"no key":             func(o *api.Options) { o.Domains[0].Key = api.Key{} },
		"empty key":          func(o *api.Options) { o.Domains[0].Key = api.NewKey("") },
		"empty channel key":  func(o *api.Options) { o.Domains[0].ChannelKeys = map[string]api.Key{"01": {}} },
		"domain twice":       func(o *api.Options) { o.Domains[1].Code = "appm" },
		"nonces not kept":    func(o *api.Options) { o.Domains[0].SignatureKey = api.NewKey("k") },
		"unknown endpoint":   func(o *api.Options) { o.Domains[0].Endpoints = []string{"/tuxedo/alverfy"} },
		"no randomness left": func(o *api.Options) { o.Rand = strings.NewReader("short") },
	} {
		o := options(t)
		change(&o)
		if _, err := api.New(o); err == nil || strings.Contains(err.Error(), appKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
