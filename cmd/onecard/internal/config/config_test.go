package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"pbochsm/cmd/onecard/internal/config"
)

const sample = "../../../../docs/onecard.yaml"

// installed puts the files that the sample names into a folder and gives the
// sample with its names turned there.
func installed(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(sample)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range map[string]string{
		"ledger.secret": strings.Repeat("5A", 32), "postgres.dsn": "postgres://onecard:sesame@db/onecard",
		"appm.key": strings.Repeat("a1", 16), "webm.key": strings.Repeat("b2", 16), "term.key": strings.Repeat("c3", 16),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return strings.ReplaceAll(string(text), "/etc/onecard/", dir+"/")
}

func TestSampleIsValid(t *testing.T) {
	cfg, err := config.Parse([]byte(installed(t)))
	if err != nil {
		t.Fatal(err)
	}
	if !cfg.Production() || len(cfg.Domains) != 3 || cfg.Database.Postgres.Reveal() != "postgres://onecard:sesame@db/onecard" {
		t.Errorf("the sample reads as %+v", cfg)
	}
}

// Every member that exists is shown, and what the sample calls a default is
// one.
func TestSampleShowsEveryMember(t *testing.T) {
	text := installed(t)
	cfg, err := config.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)(?:^[ -]*|[{,] ?)([a-z0-9_]+):`).FindAllStringSubmatch(text, -1) {
		shown[m[1]] = true
	}
	members := 0
	walk(reflect.TypeOf(*cfg), func(name string) {
		members++
		if !shown[name] {
			t.Errorf("docs/onecard.yaml does not show %q", name)
		}
	})
	if members < 80 {
		t.Errorf("found only %d members: the walk misses some", members)
	}
	want := config.Default()
	for _, part := range []struct {
		name      string
		got, want any
	}{
		{"answers", cfg.Answers, want.Answers},
		{"fields", cfg.Fields, want.Fields},
		{"rewrite", cfg.Rewrite, want.Rewrite},
		{"failure_budgets", cfg.Budgets, want.Budgets},
		{"limits", cfg.Limits, want.Limits},
		{"timeouts", cfg.Timeouts, want.Timeouts},
		{"reconcile", cfg.Reconcile, want.Reconcile},
		{"log", cfg.Log, want.Log},
		{"hsm", []any{cfg.HSM.Connections, cfg.HSM.HeaderLength, cfg.HSM.Timeout, cfg.HSM.CheckEvery}, []any{want.HSM.Connections, want.HSM.HeaderLength, want.HSM.Timeout, want.HSM.CheckEvery}},
		{"others", []any{cfg.TimeZone, cfg.ClockWindow, cfg.Unload, cfg.SoleLoader, cfg.GroupWindow, cfg.Database.Connections}, []any{want.TimeZone, want.ClockWindow, want.Unload, want.SoleLoader, want.GroupWindow, want.Database.Connections}},
	} {
		if !reflect.DeepEqual(part.got, part.want) {
			t.Errorf("docs/onecard.yaml shows %s as %+v, the program has %+v", part.name, part.got, part.want)
		}
	}
}

func walk(t reflect.Type, visit func(string)) {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return
	}
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("yaml"); name != "" {
			visit(name)
			walk(t.Field(i).Type, visit)
		}
	}
}

// minimal is the least that can be served.
const minimal = `
mode: test
hsm: {addresses: [127.0.0.1:1500]}
database: {sqlite: ledger.db}
ledger_secret: 5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A
origin_domains:
  - {code: APPM, key: verysecretkey, endpoints: [/tuxedo/now]}
card_schemes:
  - {id: 1, card_types: ["01"], key_set: "01"}
`

func TestRefusals(t *testing.T) {
	if _, err := config.Parse([]byte(minimal)); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("k", 32)
	for _, c := range []struct{ name, from, to, want string }{
		{"unknown member", "mode: test", "mode: test\nmodes: test", "modes"},
		{"unknown nested member", "{sqlite: ledger.db}", "{sqlite: ledger.db, path: x}", "path"},
		{"member twice", "mode: test", "mode: test\nmode: test", "mode"},
		{"second document", "mode: test", "---\nmode: test\n---\nmode: test", "document"},
		{"mode", "mode: test", "mode: demo", "mode"},
		{"no daemon", "[127.0.0.1:1500]", "[]", "hsm.addresses"},
		{"the same daemon twice", "[127.0.0.1:1500]", "[127.0.0.1:1500, 127.0.0.1:1500]", "twice"},
		{"plain to afar", "[127.0.0.1:1500]", "[10.0.0.1:1500]", "hsm.tls"},
		{"half of TLS", "{addresses: [127.0.0.1:1500]}", "{addresses: [127.0.0.1:1500], tls: {ca: x}}", "hsm.tls"},
		{"no database", "{sqlite: ledger.db}", "{}", "database"},
		{"two databases", "{sqlite: ledger.db}", "{sqlite: ledger.db, postgres: 'postgres://x'}", "database"},
		{"short secret", "ledger_secret: 5A5A", "ledger_secret: 5A", "ledger_secret"},
		{"listen afar", "mode: test", "mode: test\nlisten: 0.0.0.0:80", "listen"},
		{"listen nowhere", "mode: test", "mode: test\nlisten: here", "HOST:PORT"},
		{"certificate without key", "mode: test", "mode: test\ntls: {certificate: c}", "tls"},
		{"zone", "mode: test", "mode: test\ntime_zone: Asia/Nowhere", "time_zone"},
		{"language", "mode: test", "mode: test\nanswers: {language: fr}", "answers.language"},
		{"width", "mode: test", "mode: test\nanswers: {code_width: 3}", "code_width"},
		{"pattern", "mode: test", "mode: test\nfields: {card_number: '('}", "card_number"},
		{"payment", "mode: test", "mode: test\nfields: {payment_types: ['1']}", "payment_types"},
		{"domain code", "code: APPM", "code: app", "four upper-case"},
		{"no endpoints", "endpoints: [/tuxedo/now]", "endpoints: []", "endpoints"},
		{"no path", "endpoints: [/tuxedo/now]", "endpoints: [now]", `APPM: endpoints: there is no endpoint "now"`},
		{"no endpoint", "[/tuxedo/now]", "[/tuxedo/now, /tuxedo/alverfy]", `APPM: endpoints: there is no endpoint "/tuxedo/alverfy"`},
		{"one key for two", "card_schemes:", "  - {code: WEBM, key: verysecretkey, endpoints: [/tuxedo/now]}\ncard_schemes:", "WEBM: key: APPM has the same"},
		{"one key in two cases", "card_schemes:", "  - {code: WEBM, key: VerySecretKey, endpoints: [/tuxedo/now]}\ncard_schemes:", "WEBM: key: APPM has the same"},
		{
			"one channel key for two", "card_schemes:",
			"  - {code: WEBM, key: k, channel_keys: {'02': verysecretkey}, endpoints: [/tuxedo/now]}\ncard_schemes:", "WEBM: channel_keys: 02: APPM has the same",
		},
		{
			"another's signature key", "card_schemes:",
			"  - {code: WEBM, key: k, signature_key: verysecretkey, endpoints: [/tuxedo/now]}\ncard_schemes:", "WEBM: signature_key: APPM has the same",
		},
		{"key with &", "key: verysecretkey", "key: 'a&b'", "key"},
		{"no key", "key: verysecretkey, ", "", "key"},
		{"short key in production", "mode: test", "mode: production", "shorter than 32"},
		{"the document's key", "mode: test\n", "mode: production\n#verysecretkey", "shorter"},
		{"orders", "key: verysecretkey", "key: k, orders: loose", "orders"},
		{"scheme id", "id: 1", "id: 0", "id"},
		{"card type", `["01"]`, `["a"]`, "card_types"},
		{"card type twice", `["01"]`, `["01", "01"]`, "twice"},
		{"key set", `key_set: "01"`, `key_set: "1"`, "key_set"},
		{"wallet", `key_set: "01"`, `key_set: "01", wallet: XX`, "wallet"},
		{"factor", `key_set: "01"`, `key_set: "01", outer_factors: ["00"]`, "outer_factors"},
		{"limit", `key_set: "01"`, `key_set: "01", max_amount: -1`, "max_amount"},
		{"time", "mode: test", "mode: test\ntimeouts: {drain: 0s}", "timeouts.drain"},
		{"number", "mode: test", "mode: test\nlimits: {in_flight: 0}", "limits.in_flight"},
		{"rate without burst", "mode: test", "mode: test\nlimits: {per_source: {per_second: 5}}", "limits.per_source"},
		{"proxy", "mode: test", "mode: test\ntrusted_proxies: [10.0.0.1]", "trusted_proxies"},
		{"channel key", "key: verysecretkey", "key: k, channel_keys: {'01': 'a=b'}", "channel_keys"},
		{"log", "mode: test", "mode: test\nlog: {level: loud}", "log.level"},
		{"not a number", "mode: test", "mode: test\nlimits: {in_flight: " + long + "}", "line"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(minimal, c.from, c.to, 1)
			if text == minimal {
				t.Fatal("nothing was changed")
			}
			_, err := config.Parse([]byte(text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want a word about %s", err, c.want)
			}
			for _, secret := range []string{"verysecretkey", "VerySecretKey", strings.Repeat("5A", 32), long} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error holds a secret: %v", err)
				}
			}
		})
	}
}

func TestSecretsStayHidden(t *testing.T) {
	cfg, err := config.Parse([]byte(installed(t)))
	if err != nil {
		t.Fatal(err)
	}
	var printed bytes.Buffer
	if err := cfg.Print(&printed); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	all := printed.String() + string(asJSON) + fmt.Sprintf("%v %+v %#v %s", cfg, *cfg, *cfg, cfg.Domains[0].Key)
	for _, secret := range []string{strings.Repeat("5A", 32), "sesame", strings.Repeat("a1", 16)} {
		if strings.Contains(all, secret) {
			t.Errorf("%q was printed:\n%s", secret, all)
		}
	}
	if strings.Count(printed.String(), config.Hidden) != 5 {
		t.Errorf("five secrets are hidden in\n%s", printed.String())
	}
}

func TestSecretFiles(t *testing.T) {
	both := strings.Replace(minimal, "key: verysecretkey", "key: verysecretkey, key_file: x", 1)
	if _, err := config.Parse([]byte(both)); err == nil || !strings.Contains(err.Error(), "both set") {
		t.Errorf("key and key_file: %v", err)
	}
	missing := strings.Replace(minimal, "key: verysecretkey", "key_file: /nowhere/at/all", 1)
	if _, err := config.Parse([]byte(missing)); err == nil || !strings.Contains(err.Error(), "key_file") {
		t.Errorf("missing key_file: %v", err)
	}
	if _, err := config.Read("/nowhere/at/all"); err == nil {
		t.Error("a file that is not there was read")
	}
}
