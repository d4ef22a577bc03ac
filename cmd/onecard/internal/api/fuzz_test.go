package api_test

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"pbochsm/cmd/onecard/internal/api"
	"pbochsm/cmd/onecard/internal/api/contract"
	"pbochsm/cmd/onecard/internal/api/flat"
	"pbochsm/cmd/onecard/internal/api/token"
)

// No body is accepted whose token was not made over exactly what was parsed:
// what the service was asked for has the pair string that was signed.
func FuzzForgery(f *testing.F) {
	const path = "/prepay/accttranssupply"
	signed := valid(path)
	want := token.String(signed.object())
	good := signed.json()
	s := &service{}
	o := options(f)
	o.Service, o.Limits.BadTokens = s, api.Rate{PerSecond: 1e9, Burst: 1e9}
	a, err := api.New(o)
	if err != nil {
		f.Fatal(err)
	}
	codes := map[string]bool{}
	for _, r := range contract.Results() {
		codes[contract.Profile{}.Print(r.Code)] = true
	}
	f.Add(good)
	for _, forged := range forgeries(good) {
		f.Add(forged)
	}
	f.Fuzz(func(t *testing.T, body string) {
		before := s.calls()
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		var answer map[string]string
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || !codes[answer["ErrorCode"]] {
			t.Fatalf("%q is answered with %d %q", body, w.Code, w.Body)
		}
		asked := s.calls() > before
		if asked != (answer["ErrorCode"] == "0000") {
			t.Fatalf("%q is answered with %s; the service was asked: %v", body, w.Body, asked)
		}
		if !asked {
			return
		}
		object, err := flat.Parse([]byte(body), flat.Aliases(contract.Aliases()))
		if err != nil || token.String(object) != want {
			t.Fatalf("%q was accepted with the token of\n%s", body, want)
		}
	})
}

// forgeries change a good body in the ways in which readers of JSON differ.
func forgeries(good string) []string {
	random := rand.New(rand.NewPCG(1, 2))
	var all []string
	for _, insert := range []string{
		`"TradeMoney":"1",`, `"trademoney":"1",`, "\"TradeMone\u0079\":\"1\",", `"TRADEMONEY":"1","x":"",`, `"CarNo":"1",`,
		`"":"",`, `"x":null,`, `"A":"1&TRADEMONEY=1",`, `"A=B&C":"1",`, "\"\u212A\":\"1\",", `"Tac":"",`, `"LinkAddr":"",`,
	} {
		all = append(all, strings.Replace(good, "{", "{"+insert, 1), strings.TrimSuffix(good, "}")+","+strings.TrimSuffix(insert, ",")+"}")
	}
	for _, change := range [][2]string{
		{`"5000"`, `5000`}, {`"5000"`, `"05000"`}, {`"5000"`, `"5000.0"`}, {`"5000"`, `" 5000"`}, {`"5000"`, `"\u0035000"`},
		{`"5000"`, `"５000"`}, {`"5000"`, `["5000"]`}, {`"DEADBEEF"`, `"deadbeef"`}, {`"TradeId"`, `"TradeID"`},
		{`"DEMO-1"`, `""`}, {`"DEMO-1"`, `null`}, {`"DEMO-1"`, `"DEMO-1&"`}, {`}`, `}}`}, {`{`, `{{`},
	} {
		all = append(all, strings.Replace(good, change[0], change[1], 1))
	}
	for range 1000 { // single bytes
		at := random.IntN(len(good))
		all = append(all, good[:at]+string(rune(random.IntN(128)))+good[at+random.IntN(2):])
	}
	return all
}

// The values of one field moved to another keep neither place nor token.
func TestSwappedValues(t *testing.T) {
	const path = "/prepay/accttranssupply"
	b := newBench(t, func(o *api.Options) { o.Limits.BadTokens = api.Rate{PerSecond: 1e9, Burst: 1e9} })
	names := slices.Sorted(maps.Keys(valid(path)))
	tried := 0
	for i, one := range names {
		for _, other := range names[:i] {
			f := valid(path)
			if one == "Token" || other == "Token" || f[one] == f[other] {
				continue
			}
			f[one], f[other] = f[other], f[one]
			if a := b.send(path, f.json()); a.code() == "0000" {
				t.Errorf("%s and %s are swapped: %s", one, other, a.body)
			}
			tried++
		}
	}
	if tried < 100 || b.service.calls() != 0 {
		t.Errorf("%d swaps, the service was asked %d times", tried, b.service.calls())
	}
}

// BenchmarkServe is a money call without what it waits for.
func BenchmarkServe(b *testing.B) {
	const path = "/prepay/accttranssupply"
	o := options(b)
	o.Service = silent{&service{}}
	a, err := api.New(o)
	if err != nil {
		b.Fatal(err)
	}
	body := valid(path).json()
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Body)
		}
	}
}
