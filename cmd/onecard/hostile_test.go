package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"pbochsm/cmd/onecard/internal/api/flat"
	"pbochsm/cmd/onecard/internal/api/token"
	"pbochsm/cmd/onecard/internal/config"
)

// A hostile client knows one domain's key, and what it should not send.
type hostile struct {
	t    *testing.T
	addr string
}

// signedBody is a body with its token.
func signedBody(t *testing.T, domain string, fields map[string]string) string {
	t.Helper()
	all := map[string]string{"OrigionDomain": domain}
	for name, value := range fields {
		all[name] = value
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	object, err := flat.Parse(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	if all["Token"], err = token.Make(token.Pair, token.UTF8, object, sandboxKeys[domain]); err != nil {
		t.Fatal(err)
	}
	if text, err = json.Marshal(all); err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// raw sends bytes and gives all that comes back until the connection ends.
func (h *hostile) raw(request string) string {
	h.t.Helper()
	conn, err := net.Dial("tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	_, _ = io.WriteString(conn, request)
	answer, err := io.ReadAll(conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		h.t.Errorf("the connection stays open: %q", answer)
	}
	return string(answer)
}

// post sends a body with headers of its own.
func (h *hostile) post(path, body string, headers ...string) string {
	h.t.Helper()
	if len(headers) == 0 {
		headers = []string{"Content-Type: application/json"}
	}
	return h.raw(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\nContent-Length: %d\r\n\r\n%s",
		path, strings.Join(headers, "\r\n"), len(body), body))
}

// Whatever is wrong with a request to a server in service, it gets a code of
// the table and nothing is booked.
func TestHostileRequests(t *testing.T) {
	hsm, _ := daemon(t)
	cfg := servedConfig(t, hsm)
	cfg.Metrics = ""
	cfg.Timeouts.Header, cfg.Timeouts.Request = time.Second, time.Second
	cfg.Limits.BadTokens = config.Rate{PerSecond: 1000, Burst: 1000}
	file := configFile(t, cfg)
	furnish(t, file, cfg)
	before := onecard(t, "", "ledger", "export", "--config", file)
	p := launch(t, "serve", "--config", file)
	h := &hostile{t, p.line("listening ")}

	const path = "/prepay/supply"
	fields := map[string]string{"TradeID": "H-1", "TradeMoney": "100", "Balunitno": sandboxMerchant}
	good := signedBody(t, "WEBM", fields)
	swap := func(from, to string) string {
		t.Helper()
		text := strings.Replace(good, from, to, 1)
		if text == good {
			t.Fatalf("%s is not in %s", from, good)
		}
		return text
	}
	with := func(name, value string) string {
		changed := map[string]string{name: value}
		for n, v := range fields {
			if n != name {
				changed[n] = v
			}
		}
		return signedBody(t, "WEBM", changed)
	}
	for name, c := range map[string]struct {
		answer string
		want   string
	}{
		"a name twice":             {h.post(path, swap(`{`, `{"TradeMoney":"1",`)), "1001"},
		"a name in other case":     {h.post(path, swap(`{`, `{"TRADEMONEY":"1",`)), "1001"},
		"an alias besides":         {h.post(path, swap(`{`, `{"BalunitNo":"M0001",`)), "1001"},
		"a folded name":            {h.post(path, swap(`"Token"`, "\"To\u212Aen\"")), "1001"},
		"a name that is not known": {h.post(path, swap(`{`, `{"Remark":"x",`)), "1001"},
		"a number":                 {h.post(path, swap(`"100"`, `100`)), "1001"},
		"an exponent":              {h.post(path, swap(`"100"`, `1e2`)), "1001"},
		"an object":                {h.post(path, swap(`"100"`, `{"a":"100"}`)), "1001"},
		"bytes behind":             {h.post(path, good+good), "1001"},
		"bytes that are no UTF-8":  {h.post(path, swap(`"100"`, "\"\xB3\xE4\"")), "1001"},
		"no JSON":                  {h.post(path, "TradeID=H-1"), "1001"},
		"a field less":             {h.post(path, signedBody(t, "WEBM", map[string]string{"TradeID": "H-1"})), "1002"},
		"an ampersand":             {h.post(path, with("TradeID", "H-1&TRADEMONEY=1")), "1003"},
		"an equals sign":           {h.post(path, with("TradeID", "H=1")), "1003"},
		"a negative amount":        {h.post(path, with("TradeMoney", "-1")), "1003"},
		"an amount of nothing":     {h.post(path, with("TradeMoney", "0")), "1003"},
		"a leading zero":           {h.post(path, with("TradeMoney", "0100")), "1003"},
		"more than 32 bits":        {h.post(path, with("TradeMoney", "4294967396")), "1003"},
		"digits of full width":     {h.post(path, with("TradeMoney", "１００")), "1003"},
		"another amount":           {h.post(path, swap(`"100"`, `"101"`)), "2001"},
		"another domain":           {h.post(path, swap(`"WEBM"`, `"APPM"`)), "2001"},
		"no such domain":           {h.post(path, swap(`"WEBM"`, `"NONE"`)), "2001"},
		"a path of another":        {h.post("/tuxedo/now", signedBody(t, "APPM", map[string]string{"ChannelNo": "01&02"})), "1003"},
		"an endpoint of others":    {h.post("/tuxedo/alverify", signedBody(t, "WEBM", map[string]string{"CarNo": "2150010186000001", "CardOldBal": "0", "CardTradeNo": "0000"})), "2002"},
		"another's merchant":       {h.post(path, with("Balunitno", "M0002")), "2003"},
		"8 KiB and a byte":         {h.post(path, good+strings.Repeat(" ", 8193-len(good))), "1006"},
		"another type":             {h.post(path, good, "Content-Type: application/x-www-form-urlencoded"), "1006"},
		"two types":                {h.post(path, good, "Content-Type: application/json", "Content-Type: text/plain"), "1006"},
		"no type":                  {h.post(path, good, "X-Type: none"), "1006"},
		"another charset":          {h.post(path, good, "Content-Type: application/json; charset=gbk"), "1006"},
		"compression":              {h.post(path, good, "Content-Type: application/json", "Content-Encoding: gzip"), "1006"},
		"a query":                  {h.post(path+"?TradeMoney=1", good), "1006"},
		"another method":           {h.raw("PUT " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"), "1006"},
		"no such path":             {h.post("/prepay/supply/", good), "1006"},
		"a body that stops":        {h.raw("POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n" + good[:40]), "1001"},
		"chunks without an end":    {h.raw("POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n"), "1001"},
	} {
		if !strings.Contains(strings.ReplaceAll(c.answer, " ", ""), `{"ErrorCode":"`+c.want+`","ErrorMsg":`) || strings.Contains(c.answer, "balance") {
			t.Errorf("%s: %s, want %s", name, c.answer, c.want)
		}
	}
	for name, text := range map[string]string{
		"nothing": "", "half a head": "POST " + path + " HTTP/1.1\r\nHost: x\r\n", "no HTTP": "\x16\x03\x01\x02\x00\x01",
	} {
		if answer := h.raw(text); strings.Contains(answer, "ErrorCode") || strings.Contains(answer, "200 OK") {
			t.Errorf("%s is answered %q", name, answer)
		}
	}
	// And all that was wrong was what was changed.
	if after := onecard(t, "", "ledger", "export", "--config", file); after != before {
		t.Errorf("something was booked:\n%s", after)
	}
	if answer := h.post(path, good); !strings.Contains(answer, `"balance":"1000100"`) {
		t.Errorf("the good one: %s", answer)
	}
	p.stop()
	sound(t, file)
	for _, secret := range []string{sandboxKeys["WEBM"], "H-1&TRADEMONEY"} {
		if strings.Contains(p.stderr.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

// Guesses of passwords end after five from a source in an hour, right ones
// among them, for recharge cards and corporate cards together, also after a
// restart; until then nothing tells a password that was used from one that never
// was.
func TestGuessing(t *testing.T) {
	hsm, _ := daemon(t)
	cfg := servedConfig(t, hsm)
	cfg.Metrics, cfg.Budgets.PasswordPerHour = "", 5
	file := configFile(t, cfg)
	fixturesFile := furnish(t, file, cfg)
	text, err := os.ReadFile(fixturesFile)
	if err != nil {
		t.Fatal(err)
	}
	var f fixtures
	if err := json.Unmarshal(text, &f); err != nil {
		t.Fatal(err)
	}
	onecard(t, "", "ledger", "recharge-cards", "block", "--config", file, "--serial", f.Recharge[1].Serial)
	p := launch(t, "serve", "--config", file)
	h := &hostile{t, p.line("listening ")}
	check := func(password string) string {
		_, answer, _ := strings.Cut(h.post("/recharcard/pwcheck", signedBody(t, "TERM", map[string]string{"Tac": password})), "\r\n\r\n")
		return answer
	}
	verify := func(asn, password string) string {
		_, answer, _ := strings.Cut(h.post("/group/verify", signedBody(t, "TERM", map[string]string{"ASN": asn, "PassWord": password})), "\r\n\r\n")
		return answer
	}
	if got := check(f.Recharge[0].Password); !strings.Contains(got, `"TradeMoney":"5000"`) {
		t.Fatalf("a good password: %s", got)
	}
	unknown, blocked := check("0000000000000000"), check(f.Recharge[1].Password)
	if !strings.Contains(unknown, `"5003"`) || unknown != blocked {
		t.Errorf("an unknown password is told %s, one that is blocked %s", unknown, blocked)
	}
	nobody, wrong := verify("0000010188000009", "999999"), verify(f.Corporate.ASN, "999999")
	if !strings.Contains(nobody, `"5004"`) || nobody != wrong {
		t.Errorf("a card that does not exist is told %s, a wrong password %s", nobody, wrong)
	}
	if fifth := check("0000000000000001"); fifth != unknown {
		t.Errorf("the fifth guess is told %s", fifth)
	}
	p.stop()
	p = launch(t, "serve", "--config", file)
	h.addr = p.line("listening ")
	for name, got := range map[string]string{
		"the sixth guess": check("0000000000000002"), "a good password behind it": check(f.Recharge[0].Password),
		"a good corporate password": verify(f.Corporate.ASN, sandboxPassword),
	} {
		if !strings.Contains(got, `"2004"`) {
			t.Errorf("%s is told %s", name, got)
		}
	}
	p.stop()
	sound(t, file)
	for _, secret := range []string{f.Recharge[0].Password, f.Recharge[1].Password, "0000000000000000", "999999"} {
		if strings.Contains(p.stderr.String(), secret) {
			t.Errorf("the log holds a password:\n%s", p.stderr)
		}
	}
}
