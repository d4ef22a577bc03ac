package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"pbochsm/cmd/onecard/internal/config"
)

// configFile writes cfg as a file. Its secrets, which no encoder writes, are
// put in afterwards.
func configFile(t testing.TB, cfg *config.Config) string {
	t.Helper()
	var tree map[string]any
	text, err := yaml.Marshal(cfg)
	if err == nil {
		err = yaml.Unmarshal(text, &tree)
	}
	if err != nil {
		t.Fatal(err)
	}
	tree["ledger_secret"] = cfg.Secret.Reveal()
	tree["database"].(map[string]any)["postgres"] = cfg.Database.Postgres.Reveal()
	for i, d := range tree["origin_domains"].([]any) {
		d.(map[string]any)["key"] = cfg.Domains[i].Key.Reveal()
		d.(map[string]any)["signature_key"] = cfg.Domains[i].Signature.Reveal()
	}
	if text, err = yaml.Marshal(tree); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "onecard.yaml")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// servedConfig is a configuration of serve like that of the sandbox.
func servedConfig(t testing.TB, daemons ...string) *config.Config {
	t.Helper()
	cfg := sandboxConfig(t.TempDir(), daemons[0])
	cfg.HSM.Addresses = daemons
	cfg.Listen = "127.0.0.1:0"
	cfg.Metrics = "127.0.0.1:0"
	return cfg
}

// furnish fills a new ledger by the operator's commands and gives the file of
// fixtures that the client wants.
func furnish(t *testing.T, file string, cfg *config.Config) string {
	t.Helper()
	on := func(stdin string, args ...string) string {
		return onecard(t, stdin, append([]string{"ledger"}, append(args, "--config", file)...)...)
	}
	on("", "migrate")
	on("", "account", "create", "--number", sandboxMerchant, "--name", "merchant")
	if got := on("", "account", "top-up", "--number", sandboxMerchant, "--serial", "T1", "--fen", "1000000"); got != "1000000\n" {
		t.Errorf("the merchant's balance is %q", got)
	}
	f := fixtures{Domains: map[string]string{}, Merchant: sandboxMerchant, Dept: sandboxDept, Operator: sandboxOperator}
	for _, d := range cfg.Domains {
		f.Domains[d.Code] = d.Key.Reveal()
	}
	issued := strings.Fields(on("", "recharge-cards", "issue", "--count", "3", "--fen", "5000", "--expires", "2049-12-31"))
	for _, line := range issued {
		serial, password, _ := strings.Cut(line, ",")
		f.Recharge = append(f.Recharge, rechargeCard{serial, password, 5000})
	}
	f.plastic()
	f.Corporate = plasticCard{Number: "2150010188000001", ASN: "0000010188000001", Type: typePurse, TTI: 2, Password: sandboxPassword}
	on(sandboxPassword+"\n", "corp", "create", "--card", f.Corporate.Number, "--asn", f.Corporate.ASN, "--name", "company")
	on("", "corp", "top-up", "--card", f.Corporate.Number, "--serial", "T2", "--fen", "50000")
	if err := f.issuer(); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "fixtures.json")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// onDatabase has the ledger of cfg in a database of its own: "sqlite", which it
// has already, or "postgres".
func onDatabase(t *testing.T, cfg *config.Config, database string) {
	t.Helper()
	if database == "postgres" {
		cfg.Database.SQLite, cfg.Database.Postgres = "", config.NewSecret(postgres(t))
	}
}

func TestClientDrivesServe(t *testing.T) {
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			addr, _ := daemon(t)
			cfg := servedConfig(t, addr)
			onDatabase(t, cfg, database)
			file := configFile(t, cfg)
			fixtures := furnish(t, file, cfg)
			p := launch(t, "serve", "--config", file)
			url := "http://" + p.line("listening ")
			probes := "http://" + p.line("metrics ")
			python(t, "drive.py", url, fixtures)
			for path, want := range map[string]int{url + "/_sim/cards": 404, url + "/metrics": 404, probes + "/metrics": 200, probes + "/readyz": 200, url + "/docs/": 200} {
				if got := status(t, path); got != want {
					t.Errorf("%s answers %d, want %d", path, got, want)
				}
			}
			p.stop()
			sound(t, file)
			for _, secret := range []string{cfg.Domains[0].Key.Reveal(), cfg.Secret.Reveal(), sandboxPassword} {
				if strings.Contains(p.stderr.String(), secret) {
					t.Errorf("the log holds a secret:\n%s", p.stderr)
				}
			}
		})
	}
}

func status(t testing.TB, url string) int {
	t.Helper()
	code, _ := fetch(t, url)
	return code
}

// fetch gives the answer to a GET.
func fetch(t testing.TB, url string) (code int, body string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(text)
}
