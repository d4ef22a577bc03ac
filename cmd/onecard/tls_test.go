package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pbochsm/cmd/onecard/internal/config"
)

// An authority makes certificates, as files in its folder: ca.pem, and NAME.pem
// with NAME.key.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	a.cert, a.key = a.certificate("authority"), a.newKey()
	a.cert.IsCA, a.cert.BasicConstraintsValid, a.cert.KeyUsage = true, true, x509.KeyUsageCertSign
	a.write("ca", a.cert, a.key)
	return a
}

func (a *authority) newKey() *ecdsa.PrivateKey {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return key
}

func (a *authority) certificate(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
}

// certify makes a certificate for whoever has the address 127.0.0.1, or the
// name, and gives the names of its files.
func (a *authority) certify(name string, change ...func(*x509.Certificate)) (cert, key string) {
	a.t.Helper()
	c := a.certificate(name)
	for _, f := range change {
		f(c)
	}
	return a.write(name, c, a.newKey())
}

func (a *authority) write(name string, c *x509.Certificate, key *ecdsa.PrivateKey) (certFile, keyFile string) {
	a.t.Helper()
	cert, err := x509.CreateCertificate(rand.Reader, c, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(a.dir, name+".pem"), filepath.Join(a.dir, name+".key")
	for _, f := range []struct {
		name, kind string
		der        []byte
	}{{certFile, "CERTIFICATE", cert}, {keyFile, "PRIVATE KEY", secret}} {
		if err := os.WriteFile(f.name, pem.EncodeToMemory(&pem.Block{Type: f.kind, Bytes: f.der}), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func (a *authority) caFile() string { return filepath.Join(a.dir, "ca.pem") }

// client is the TLS of a client that believes this authority, with a
// certificate of another one perhaps.
func (a *authority) client(cert, key string) *tls.Config {
	a.t.Helper()
	text, err := os.ReadFile(a.caFile())
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
		"--tls-cert", hsmCert, "--tls-key", hsmKey, "--tls-client-ca", house.caFile())
	addr, _, _ := strings.Cut(d.line("listening "), " ")

	cfg := servedConfig(t, addr)
	serverCert, serverKey := house.certify("onecard")
	cfg.TLS = config.TLS{Certificate: serverCert, Key: serverKey, ClientCA: house.caFile()}
	own, ownKey := house.certify("api")
	cfg.HSM.TLS = config.ModuleTLS{Certificate: own, Key: ownKey, CA: house.caFile()}
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
	oldCert, oldKey := house.certify("old", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	serverOnly, serverOnlyKey := house.certify("server", func(c *x509.Certificate) { c.ExtKeyUsage = c.ExtKeyUsage[:1] })
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

// A daemon that cannot show who it is is not asked, and does not answer whoever
// cannot.
func TestDaemonOverTLS(t *testing.T) {
	house, stranger := newAuthority(t), newAuthority(t)
	hsmCert, hsmKey := house.certify("pbochsm", func(c *x509.Certificate) { c.IPAddresses = nil })
	d := launchProgram(t, pbochsmProgram(t), "serve", "--dev", "--listen", "", "--tls-listen", "127.0.0.1:0",
		"--tls-cert", hsmCert, "--tls-key", hsmKey, "--tls-client-ca", house.caFile())
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
		{"a name in the certificate", config.ModuleTLS{Certificate: own, Key: ownKey, CA: house.caFile(), Name: "pbochsm"}, 200},
		{"the address, which is not in it", config.ModuleTLS{Certificate: own, Key: ownKey, CA: house.caFile()}, 503},
		{"another authority", config.ModuleTLS{Certificate: own, Key: ownKey, CA: stranger.caFile(), Name: "pbochsm"}, 503},
		{"a certificate of another one", config.ModuleTLS{Certificate: other, Key: otherKey, CA: house.caFile(), Name: "pbochsm"}, 503},
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
