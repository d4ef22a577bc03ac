package main

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"os"
	"strings"
	"testing"
	"time"

	"pbochsm/cmd/onecard/internal/config"
	"pbochsm/protocol/testca"
)

// A testAuthority is an authority of a test.
type testAuthority struct {
	*testca.Authority
	t *testing.T
}

func newAuthority(t *testing.T) testAuthority {
	t.Helper()
	a, err := testca.New(t.TempDir(), rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return testAuthority{a, t}
}

func (a testAuthority) certify(name string, change ...func(*x509.Certificate)) (cert, key string) {
	a.t.Helper()
	cert, key, err := a.Issue(name, change...)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

// client is the TLS of a client that believes this authority, with a
// certificate of another one perhaps.
func (a testAuthority) client(cert, key string) *tls.Config {
	a.t.Helper()
	text, err := os.ReadFile(a.CA())
	if err != nil {
		a.t.Fatal(err)
	}
	t := &tls.Config{RootCAs: x509.NewCertPool()}
	t.RootCAs.AppendCertsFromPEM(text)
	if cert != "" {
		own, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			a.t.Fatal(err)
		}
		t.Certificates = []tls.Certificate{own}
	}
	return t
}

// loadOver makes a load over a TLS connection.
func loadOver(t *testing.T, addr string, n int, c *tls.Config) error {
	t.Helper()
	conn, err := tls.Dial("tcp", addr, c)
	if err != nil {
		return err
	}
	return terminalOn(t, conn, addr, n).load()
}

// With mutual TLS on both sides a load goes through; whoever has no
// certificate of the right authority is nobody, on either side.
func TestMutualTLS(t *testing.T) {
	house, stranger := newAuthority(t), newAuthority(t)
	hsmCert, hsmKey := house.certify("pbochsm")
	program := pbochsmProgram(t)
	d := launchProgram(t, program, "serve", "--dev", "--listen", "", "--tls-listen", "127.0.0.1:0",
		"--tls-cert", hsmCert, "--tls-key", hsmKey, "--tls-client-ca", house.CA())
	addr, _, _ := strings.Cut(d.line("listening "), " ")

	cfg := servedConfig(t, addr)
	serverCert, serverKey := house.certify("onecard")
	cfg.TLS = config.TLS{Certificate: serverCert, Key: serverKey, ClientCA: house.CA()}
	own, ownKey := house.certify("api")
	cfg.HSM.TLS = config.ModuleTLS{Certificate: own, Key: ownKey, CA: house.CA()}
	file := configFile(t, cfg)
	furnish(t, file, cfg)
	p := launch(t, "serve", "--config", file)
	listening := p.line("listening ")
	api, found := strings.CutSuffix(listening, " tls")
	if !found {
		t.Fatalf("it listens on %q", listening)
	}
	terminalCert, terminalKey := house.certify("terminal")
	good := house.client(terminalCert, terminalKey)
	if err := loadOver(t, api, 1, good); err != nil {
		t.Errorf("a load over mutual TLS: %v", err)
	}

	otherCert, otherKey := stranger.certify("terminal")
	oldCert, oldKey := house.certify("old", testca.Expired)
	serverOnly, serverOnlyKey := house.certify("server", testca.For(x509.ExtKeyUsageServerAuth))
	earlier := house.client(terminalCert, terminalKey)
	earlier.MaxVersion = tls.VersionTLS12
	for name, c := range map[string]*tls.Config{
		"no certificate":               house.client("", ""),
		"of another authority":         house.client(otherCert, otherKey),
		"that has expired":             house.client(oldCert, oldKey),
		"that is a server's":           house.client(serverOnly, serverOnlyKey),
		"TLS 1.2":                      earlier,
		"who trusts another authority": stranger.client(terminalCert, terminalKey),
	} {
		if err := loadOver(t, api, 2, c); err == nil {
			t.Errorf("a client with %s was served", name)
		}
	}
	if answer, err := newTerminal(t, api, 3).post("/tuxedo/now", "{}"); err == nil && strings.Contains(answer, "ErrorCode") {
		t.Errorf("plain HTTP is answered with %s", answer)
	}
	// No session is taken up again, since that would not look at the certificate.
	good.ClientSessionCache = tls.NewLRUClientSessionCache(8)
	for range 2 {
		conn, err := tls.Dial("tcp", api, good)
		if err != nil {
			t.Fatal(err)
		}
		if err := terminalOn(t, conn, api, 4).load(); err != nil {
			t.Error(err)
		}
		if conn.ConnectionState().DidResume {
			t.Error("a session was resumed")
		}
	}
	p.stop()
	sound(t, file)
}

// Both programs take up new certificates on SIGHUP, and stay with the old ones
// where the new cannot be used.
func TestCertificatesRenewed(t *testing.T) {
	before, after := newAuthority(t), newAuthority(t)
	hsmCert, hsmKey := before.certify("pbochsm")
	d := launchProgram(t, pbochsmProgram(t), "serve", "--dev", "--listen", "", "--tls-listen", "127.0.0.1:0",
		"--tls-cert", hsmCert, "--tls-key", hsmKey, "--tls-client-ca", before.CA())
	addr, _, _ := strings.Cut(d.line("listening "), " ")
	cfg := servedConfig(t, addr)
	serverCert, serverKey := before.certify("onecard")
	cfg.TLS = config.TLS{Certificate: serverCert, Key: serverKey}
	own, ownKey := before.certify("api")
	cfg.HSM.TLS = config.ModuleTLS{Certificate: own, Key: ownKey, CA: before.CA()}
	file := configFile(t, cfg)
	furnish(t, file, cfg)
	p := launch(t, "serve", "--config", file)
	api, _ := strings.CutSuffix(p.line("listening "), " tls")
	probes := "http://" + p.line("metrics ")
	if err := loadOver(t, api, 1, before.client("", "")); err != nil {
		t.Fatal(err)
	}

	replace := func(cert, key, newCert, newKey string) {
		for from, to := range map[string]string{newCert: cert, newKey: key} {
			text, err := os.ReadFile(from)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(to, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	newCert, newKey := after.certify("onecard")
	replace(serverCert, serverKey, newCert, ownKey)
	p.hangUp("a certificate on the disk cannot be used")
	if err := loadOver(t, api, 2, before.client("", "")); err != nil {
		t.Errorf("after a certificate that does not fit its key: %v", err)
	}
	replace(serverCert, serverKey, newCert, newKey)
	p.hangUp("certificate taken up")
	if err := loadOver(t, api, 3, after.client("", "")); err != nil {
		t.Errorf("by the new authority: %v", err)
	}
	if err := loadOver(t, api, 4, before.client("", "")); err == nil {
		t.Error("who believes the old authority alone was served")
	}
	if _, metrics := fetch(t, probes+"/metrics"); !strings.Contains(metrics, `onecard_certificate_not_after_seconds{of="hsm.tls"}`) {
		t.Errorf("the metrics do not tell when a certificate ends:\n%s", metrics)
	}
	// The daemon's: it serves on with a new one of the same authority.
	hsmCert2, hsmKey2 := before.certify("pbochsm2", testca.Expired)
	replace(hsmCert, hsmKey, hsmCert2, hsmKey2)
	d.hangUp("certificates taken up")
	if _, err := tls.Dial("tcp", addr, before.client(own, ownKey)); err == nil {
		t.Error("the daemon shows the old certificate")
	}
	p.stop()
	d.stop()
}

// A daemon that cannot show who it is is not asked, and does not answer whoever
// cannot.
func TestDaemonOverTLS(t *testing.T) {
	house, stranger := newAuthority(t), newAuthority(t)
	hsmCert, hsmKey := house.certify("pbochsm", func(c *x509.Certificate) { c.IPAddresses = nil })
	d := launchProgram(t, pbochsmProgram(t), "serve", "--dev", "--listen", "", "--tls-listen", "127.0.0.1:0",
		"--tls-cert", hsmCert, "--tls-key", hsmKey, "--tls-client-ca", house.CA())
	addr, _, _ := strings.Cut(d.line("listening "), " ")
	own, ownKey := house.certify("api")
	other, otherKey := stranger.certify("api")
	base := servedConfig(t, addr)
	furnish(t, configFile(t, base), base)
	for i, c := range []struct {
		name  string
		tls   config.ModuleTLS
		ready int
	}{
		{"a name in the certificate", config.ModuleTLS{Certificate: own, Key: ownKey, CA: house.CA(), Name: "pbochsm"}, 200},
		{"the address, which is not in it", config.ModuleTLS{Certificate: own, Key: ownKey, CA: house.CA()}, 503},
		{"another authority", config.ModuleTLS{Certificate: own, Key: ownKey, CA: stranger.CA(), Name: "pbochsm"}, 503},
		{"a certificate of another one", config.ModuleTLS{Certificate: other, Key: otherKey, CA: house.CA(), Name: "pbochsm"}, 503},
		{"plain TCP", config.ModuleTLS{}, 503},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := *base
			cfg.HSM.TLS, cfg.HSM.CheckEvery, cfg.HSM.Timeout = c.tls, 20*time.Millisecond, time.Second
			file := configFile(t, &cfg)
			p := launch(t, "serve", "--config", file)
			api, probes := p.line("listening "), "http://"+p.line("metrics ")
			waitFor(t, func() bool { return status(t, probes+"/readyz") == c.ready }, p.stderr)
			err := newTerminal(t, api, i).load()
			switch {
			case c.ready == 200 && err != nil:
				t.Error(err)
			case c.ready == 503 && (err == nil || !strings.Contains(err.Error(), `"9002"`)):
				t.Errorf("a load: %v", err)
			}
			p.stop()
		})
	}
	sound(t, configFile(t, base))
	for name, change := range map[string]func(*config.Config){
		"no such certificate": func(cfg *config.Config) { cfg.TLS.Certificate, cfg.TLS.Key = "/nowhere/cert.pem", ownKey },
		"another's key":       func(cfg *config.Config) { cfg.TLS.Certificate, cfg.TLS.Key = own, otherKey },
		"no authority":        func(cfg *config.Config) { cfg.TLS = config.TLS{Certificate: own, Key: ownKey, ClientCA: ownKey} },
	} {
		cfg := *base
		change(&cfg)
		if out, stderr, err := tryOnecard("", "serve", "--config", configFile(t, &cfg)); err == nil || !strings.Contains(stderr, "onecard: error: tls") {
			t.Errorf("%s: %v, %s%s", name, err, out, stderr)
		}
	}
}
