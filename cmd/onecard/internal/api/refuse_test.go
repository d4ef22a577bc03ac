package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pbochsm/cmd/onecard/internal/api/contract"
)

const alverify = "/tuxedo/alverify"

// Every class of bad body has a code, asks the service for nothing and leaves
// no value in the log (newBench looks at that).
func TestBadBodies(t *testing.T) {
	b := newBench(t, nil)
	good := valid(alverify).json()
	for name, c := range map[string]struct{ body, code string }{
		"nothing":             {``, "1001"},
		"text":                {`hello`, "1001"},
		"list":                {`[` + good + `]`, "1001"},
		"unquoted names":      {`{TRADEID:"54BF6567",CARDNO:"2150010186001234"}`, "1001"},
		"bytes behind":        {good + `x`, "1001"},
		"two objects":         {good + good, "1001"},
		"number":              {strings.Replace(good, `"1000"`, `1000`, 1), "1001"},
		"number in a float":   {strings.Replace(good, `"1000"`, `1e3`, 1), "1001"},
		"nested":              {strings.Replace(good, `"1000"`, `{"a":"1000"}`, 1), "1001"},
		"twice":               {strings.Replace(good, `{`, `{"CarNo":"2150010186001234",`, 1), "1001"},
		"twice, other case":   {strings.Replace(good, `{`, `{"CARNO":"2150010186001235",`, 1), "1001"},
		"twice, alias":        {strings.Replace(good, `{`, `{"CardNo":"2150010186001235",`, 1), "1001"},
		"Kelvin sign":         {strings.Replace(good, `"Token"`, "\"To\u212Aen\"", 1), "1001"},
		"unknown name":        {strings.Replace(good, `{`, `{"Remark":"x",`, 1), "1001"},
		"name of elsewhere":   {strings.Replace(good, `{`, `{"PassWord":"111111",`, 1), "1001"},
		"signed unknown name": {extended(valid(alverify), "Remark", "x").json(), "1001"},
		"not UTF-8":           {strings.Replace(good, `"1000"`, "\"\xB3\xE4\"", 1), "1001"},
		"half a character":    {strings.Replace(good, `"1000"`, `"\ud800"`, 1), "1001"},
		"no field":            {`{}`, "1002"},
		"no token":            {without(valid(alverify), "Token"), "1002"},
		"empty token":         {strings.Replace(good, `"Token":"`, `"Token":"","x":"`, 1), "1002"},
		"no domain":           {without(valid(alverify), "OrigionDomain"), "1002"},
		"null":                {strings.Replace(good, `"1000"`, `null`, 1), "1002"},
		"ampersand":           {strings.Replace(good, `"2150010186001234"`, `"1&CARDOLDBAL=1000"`, 1), "1003"},
		"equals":              {strings.Replace(good, `"1000"`, `"1=0"`, 1), "1003"},
		"control character":   {strings.Replace(good, `"1000"`, `"1000\u0000"`, 1), "1003"},
		"line break":          {strings.Replace(good, `"1000"`, `"1000\n"`, 1), "1003"},
		"blank behind":        {strings.Replace(good, `"1000"`, `"1000 "`, 1), "1003"},
		"blank before":        {strings.Replace(good, `"1000"`, `" 1000"`, 1), "1003"},
		"full width digits":   {strings.Replace(good, `"1000"`, `"１０００"`, 1), "1003"},
		"wrong token":         {strings.Replace(good, `"1000"`, `"1001"`, 1), "2001"},
		"token of wrong form": {strings.Replace(good, `"Token":"`, `"Token":"0","x":"`, 1), "1001"},
		"long token":          {strings.Replace(good, `"Token":"`, `"Token":"00`, 1), "2001"},
		"too long a body":     {strings.Replace(good, `"1000"`, `"`+strings.Repeat("1", 8192)+`"`, 1), "1006"},
		"minus":               {valid(alverify, "CardOldBal", "-1").json(), "1003"},
		"plus":                {valid(alverify, "CardOldBal", "+5").json(), "1003"},
		"leading zero":        {valid(alverify, "CardOldBal", "007").json(), "1003"},
		"hexadecimal money":   {valid(alverify, "CardOldBal", "0x10").json(), "1003"},
		"fraction":            {valid(alverify, "CardOldBal", "1.0").json(), "1003"},
		"too much":            {valid(alverify, "CardOldBal", "2147483648").json(), "1003"},
		"two to the 32 and 1": {valid(alverify, "CardOldBal", "4294967297").json(), "1003"},
		"two to the 64 and 1": {valid(alverify, "CardOldBal", "18446744073709551617").json(), "1003"},
		"short counter":       {valid(alverify, "CardTradeNo", "00A").json(), "1003"},
		"counter of letters":  {valid(alverify, "CardTradeNo", "00GG").json(), "1003"},
		"short card number":   {valid(alverify, "CarNo", "215001018600123").json(), "1003"},
	} {
		t.Run(name, func(t *testing.T) {
			a := b.send(alverify, c.body)
			if a.code() != c.code {
				t.Errorf("%s\nanswer %s, want %s", c.body, a.body, c.code)
			}
			if len(a.fields) != 2 {
				t.Errorf("a refusal has other fields: %s", a.body)
			}
		})
	}
	if n := b.service.calls(); n != 0 {
		t.Errorf("the service was asked %d times", n)
	}
}

func extended(f fields, name, value string) fields {
	f[name] = value
	return f.signed(appKey)
}

func without(f fields, name string) string {
	delete(f, name)
	if name != "Token" {
		f.signed(appKey)
	}
	return f.json()
}

// Every field of every endpoint is asked for and looked at, and named by the
// spelling of the endpoint.
func TestEveryField(t *testing.T) {
	b := newBench(t, nil)
	for _, e := range contract.Endpoints() {
		for _, n := range e.Names() {
			name := n.Spelling
			if name == "OrigionDomain" || name == "Token" {
				continue
			}
			f := valid(e.Path)
			delete(f, name)
			wantCode, wantField := "1002", name
			if !n.Present {
				continue
			}
			expect(t, e.Path+" without "+name, b.ask(e.Path, f.signed(appKey)), wantCode, wantField)
			wantCode, wantField = "0000", ""
			if n.Filled {
				wantCode, wantField = "1002", name
			}
			expect(t, e.Path+" with empty "+name, b.ask(e.Path, valid(e.Path, name, "")), wantCode, wantField)
			for _, bad := range []string{"x\u0001", "a&b", "a=b", " a", "a\u2028b", strings.Repeat("9", 201)} {
				expect(t, e.Path+" with bad "+name, b.ask(e.Path, valid(e.Path, name, bad)), "1003", name)
			}
		}
	}
}

func expect(t *testing.T, what string, a answer, code, field string) {
	t.Helper()
	if a.code() != code || field != "" && !strings.HasSuffix(a.fields["ErrorMsg"], "："+field) {
		t.Errorf("%s: %s, want %s about %q", what, a.body, code, field)
	}
}

// Dates and times must exist.
func TestCalendar(t *testing.T) {
	b := newBench(t, nil)
	for _, c := range []struct{ name, value, code string }{
		{"HostDate", "20280229", "0000"},
		{"HostDate", "20270229", "1003"},
		{"HostDate", "20261301", "1003"},
		{"HostDate", "20260431", "1003"},
		{"HostDate", "00000000", "1003"},
		{"HostTime", "235959", "0000"},
		{"HostTime", "240000", "1003"},
		{"HostTime", "000060", "1003"},
	} {
		a := b.ask("/card/supply", valid("/card/supply", c.name, c.value))
		if a.code() != c.code {
			t.Errorf("%s %s: %s, want %s", c.name, c.value, a.body, c.code)
		}
	}
}

// What settings allow or not is the domain's to decide, after it has looked
// for a stored answer.
func TestEnumerationsAreNotTheAdapters(t *testing.T) {
	b := newBench(t, nil)
	for name, value := range map[string]string{"TradeType": "99", "PaymentType": "99", "OperateMode": "99", "CardType": "ZZZZ"} {
		const path = "/tuxedo/mac1authal"
		if a := b.send(path, valid(path, name, value).json()); a.code() != "0000" {
			t.Errorf("%s %s: %s", name, value, a.body)
		}
	}
}

// Values that are not ASCII, where they may be.
func TestText(t *testing.T) {
	const path = "/tuxedo/mac1authal"
	b := newBench(t, nil)
	for value, code := range map[string]string{
		"充值网点 1号窗口":                        "0000",
		strings.Repeat("网", 200):           "0000",
		strings.Repeat("网", 201):           "1003",
		"line\u0085break":                  "1003",
		"bidi\u202Eoverride":               "1003",
		"a\u00A0no-break space":            "1003",
		"ideographic\u3000space":           "1003",
		strings.Repeat("x", 60) + "\uFEFF": "1003",
	} {
		if a := b.ask(path, valid(path, "LinkAddr", value)); a.code() != code {
			t.Errorf("%q: %s, want %s", value, a.body, code)
		}
	}
}

func TestMethodsAndTypes(t *testing.T) {
	b := newBench(t, nil)
	good := valid(alverify).json()
	for name, c := range map[string]struct {
		method, target, contentType, encoding string
		status                                int
	}{
		"good":              {"POST", alverify, "application/json", "", 200},
		"with charset":      {"POST", alverify, "application/json; charset=UTF-8", "", 200},
		"upper case":        {"POST", alverify, "Application/JSON", "", 200},
		"GET":               {"GET", alverify, "application/json", "", 405},
		"PUT":               {"PUT", alverify, "application/json", "", 405},
		"HEAD":              {"HEAD", alverify, "application/json", "", 405},
		"OPTIONS":           {"OPTIONS", alverify, "application/json", "", 405},
		"no type":           {"POST", alverify, "", "", 415},
		"form":              {"POST", alverify, "application/x-www-form-urlencoded", "", 415},
		"text":              {"POST", alverify, "text/plain", "", 415},
		"broken type":       {"POST", alverify, "application/json; charset", "", 415},
		"other charset":     {"POST", alverify, "application/json; charset=GBK", "", 415},
		"JSON of a kind":    {"POST", alverify, "application/problem+json", "", 415},
		"compressed":        {"POST", alverify, "application/json", "gzip", 415},
		"query":             {"POST", alverify + "?TradeMoney=1", "application/json", "", 404},
		"unknown path":      {"POST", "/tuxedo/nothing", "application/json", "", 404},
		"path in capitals":  {"POST", "/TUXEDO/ALVERIFY", "application/json", "", 404},
		"slash behind":      {"POST", alverify + "/", "application/json", "", 404},
		"two slashes":       {"POST", "//tuxedo/alverify", "application/json", "", 404},
		"dots":              {"POST", "/tuxedo/../tuxedo/alverify", "application/json", "", 404},
		"root":              {"POST", "/", "application/json", "", 404},
		"no sandbox":        {"POST", "/_sim/sign", "application/json", "", 404},
		"declared too long": {"POST", alverify, "application/json", "long", 413},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, c.target, strings.NewReader(good))
			if c.contentType != "" {
				r.Header.Set("Content-Type", c.contentType)
			}
			switch c.encoding {
			case "long":
				r.ContentLength = 8193
			case "":
			default:
				r.Header.Set("Content-Encoding", c.encoding)
			}
			a := b.do(r)
			want := "1006"
			if c.status == 200 {
				want = "0000"
			}
			if a.status != c.status || a.code() != want {
				t.Errorf("answer %d %s, want %d %s", a.status, a.body, c.status, want)
			}
			if c.status == http.StatusMethodNotAllowed && a.header.Get("Allow") != "POST" {
				t.Errorf("Allow: %q", a.header.Get("Allow"))
			}
		})
	}
	r := httptest.NewRequest("POST", alverify, strings.NewReader(good))
	r.Header["Content-Type"] = []string{"application/json", "text/plain"}
	if a := b.do(r); a.status != 415 {
		t.Errorf("two types: %d %s", a.status, a.body)
	}
}
