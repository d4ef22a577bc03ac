package protocol_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pbochsm/protocol"
)

// An authority issues certificates into files of a directory.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir(), key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	writePEM(t, a.file("ca.crt"), "CERTIFICATE", der)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

// issue writes name.crt and name.key; expired makes it a thing of the past.
func (a *authority) issue(t *testing.T, name string, usage x509.ExtKeyUsage, expired bool) (cert, key string) {
	t.Helper()
	private := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{usage},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	if expired {
		template.NotAfter = time.Now().Add(-time.Minute)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &private.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, a.file(name+".crt"), "CERTIFICATE", der)
	writePEM(t, a.file(name+".key"), "PRIVATE KEY", pkcs8)
	return a.file(name + ".crt"), a.file(name + ".key")
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// startTLS serves with a certificate of a.
func startTLS(t *testing.T, s *protocol.Server, a *authority) (addr string) {
	t.Helper()
	cert, key := a.issue(t, "server", x509.ExtKeyUsageServerAuth, false)
	config, err := protocol.ServerTLS(cert, key, a.file("ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return startOn(t, s, tls.NewListener(l, config))
}

func clientTLS(t *testing.T, a *authority, name string, usage x509.ExtKeyUsage, expired bool) *tls.Config {
	t.Helper()
	cert, key := a.issue(t, name, usage, expired)
	config, err := protocol.ClientTLS(cert, key, a.file("ca.crt"))
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func TestLoadOverTLS(t *testing.T) {
	a := newAuthority(t, "ours")
	s := newServer(t)
	client := newClient(t, startTLS(t, s, a))
	client.TLS = clientTLS(t, a, "client", x509.ExtKeyUsageClientAuth, false)
	ops := sampleOps(t)
	if err := client.Do(t.Context(), ops); err != nil {
		t.Fatal(err)
	}
	for i := range ops {
		if ops[i].Err != nil {
			t.Errorf("%v: %v", ops[i].Kind, ops[i].Err)
		}
	}
}

func TestTLSRefusals(t *testing.T) {
	ours, foreign := newAuthority(t, "ours"), newAuthority(t, "foreign")
	good := func() *tls.Config { return clientTLS(t, ours, "client", x509.ExtKeyUsageClientAuth, false) }
	for _, tc := range []struct {
		name   string
		config func() *tls.Config
	}{
		{"no certificate", func() *tls.Config {
			c := good()
			c.Certificates = nil
			return c
		}},
		{"certificate of a foreign authority", func() *tls.Config {
			c := clientTLS(t, foreign, "client", x509.ExtKeyUsageClientAuth, false)
			c.RootCAs = good().RootCAs
			return c
		}},
		{"expired certificate", func() *tls.Config {
			return clientTLS(t, ours, "old", x509.ExtKeyUsageClientAuth, true)
		}},
		{"certificate of a server", func() *tls.Config {
			return clientTLS(t, ours, "other", x509.ExtKeyUsageServerAuth, false)
		}},
		{"TLS 1.2", func() *tls.Config {
			c := good()
			c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
			return c
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newServer(t)
			client := newClient(t, startTLS(t, s, ours))
			client.TLS = tc.config()
			if _, err := client.Echo(t.Context(), []byte("x")); err == nil {
				t.Error("the server answered")
			}
			eventually(t, "the handshake failed", func() bool { return s.Stats().Failed == 1 })
		})
	}
	t.Run("server of a foreign authority", func(t *testing.T) {
		client := newClient(t, startTLS(t, newServer(t), foreign))
		client.TLS = good()
		if _, err := client.Echo(t.Context(), []byte("x")); err == nil {
			t.Error("the client asked")
		}
	})
	t.Run("no TLS", func(t *testing.T) {
		s := newServer(t)
		client := newClient(t, startTLS(t, s, ours))
		if _, err := client.Echo(t.Context(), []byte("x")); err == nil {
			t.Error("the server answered")
		}
	})
}

func TestTLSIsNeverResumed(t *testing.T) {
	a := newAuthority(t, "ours")
	addr := startTLS(t, newServer(t), a)
	config := clientTLS(t, a, "client", x509.ExtKeyUsageClientAuth, false)
	config.ClientSessionCache = tls.NewLRUClientSessionCache(8)
	for i := range 3 {
		c, err := tls.Dial("tcp", addr, config)
		if err != nil {
			t.Fatal(err)
		}
		if got := ask(t, c, "HEAD", "B20002hi"); got != "HEADB300hi" {
			t.Errorf("reply %q", got)
		}
		if state := c.ConnectionState(); state.DidResume || state.Version != tls.VersionTLS13 {
			t.Errorf("connection %d: resumed %v, version %x", i, state.DidResume, state.Version)
		}
		_ = c.Close()
	}
}

func TestTLSHandshakeDeadline(t *testing.T) {
	s := newServer(t)
	s.Limits = shortLimits()
	c := dial(t, startTLS(t, s, newAuthority(t, "ours")))
	_, _ = c.Write([]byte{0x16, 3, 1}) // the beginning of a record
	mustClose(t, c)
	eventually(t, "the handshake failed", func() bool { return s.Stats().Failed == 1 })
}

// A client is its key, not its address.
func TestCapPerCertificate(t *testing.T) {
	a := newAuthority(t, "ours")
	s := newServer(t)
	s.Limits = protocol.Limits{Connections: 9, PerClient: 1}
	addr := startTLS(t, s, a)
	one := clientTLS(t, a, "one", x509.ExtKeyUsageClientAuth, false)
	two := clientTLS(t, a, "two", x509.ExtKeyUsageClientAuth, false)
	connect := func(config *tls.Config) (*tls.Conn, error) {
		c, err := tls.Dial("tcp", addr, config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = c.Write(frame("HEAD", "B20000"))
		_, err = nextFrame(c)
		return c, err
	}
	if _, err := connect(one); err != nil {
		t.Errorf("first connection: %v", err)
	}
	if _, err := connect(one); !errors.Is(err, io.EOF) {
		t.Errorf("second connection of the same client: %v", err)
	}
	if _, err := connect(two); err != nil {
		t.Errorf("another client: %v", err)
	}
}

func TestTLSDrain(t *testing.T) {
	a := newAuthority(t, "ours")
	s := newServer(t)
	addr := startTLS(t, s, a)
	c, err := tls.Dial("tcp", addr, clientTLS(t, a, "client", x509.ExtKeyUsageClientAuth, false))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = c.Write(frame("0001", publishedLoad))
	done := make(chan error, 1)
	eventually(t, "it is being answered", func() bool { return s.Stats().BytesIn > 0 })
	go func() { done <- s.Shutdown(t.Context()) }()
	if got := readFrame(t, c); got != "0001WB003A845BF0" {
		t.Errorf("reply %q", got)
	}
	mustClose(t, c)
	_ = c.Close()
	if err := <-done; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

func TestTLSFiles(t *testing.T) {
	a := newAuthority(t, "ours")
	cert, key := a.issue(t, "server", x509.ExtKeyUsageServerAuth, false)
	for name, files := range map[string][3]string{
		"no certificate":            {a.file("none"), key, a.file("ca.crt")},
		"key of another":            {a.file("ca.crt"), key, a.file("ca.crt")},
		"no authority":              {cert, key, a.file("none")},
		"authority without content": {cert, key, key},
	} {
		if _, err := protocol.ServerTLS(files[0], files[1], files[2]); err == nil {
			t.Errorf("%s: ServerTLS took it", name)
		}
		if _, err := protocol.ClientTLS(files[0], files[1], files[2]); err == nil {
			t.Errorf("%s: ClientTLS took it", name)
		}
	}
}
