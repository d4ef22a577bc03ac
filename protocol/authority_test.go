package protocol_test

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"net"
	"testing"
	"time"

	"pbochsm/protocol"
	"pbochsm/protocol/testca"
)

func newAuthority(t *testing.T) *testca.Authority {
	t.Helper()
	a, err := testca.New(t.TempDir(), rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func issue(t *testing.T, a *testca.Authority, name string, change ...func(*x509.Certificate)) (cert, key string) {
	t.Helper()
	cert, key, err := a.Issue(name, change...)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// startTLS serves with a certificate of a.
func startTLS(t *testing.T, s *protocol.Server, a *testca.Authority) (addr string) {
	t.Helper()
	cert, key := issue(t, a, "server", testca.For(x509.ExtKeyUsageServerAuth))
	return startWith(t, s, credentials(t, cert, key, a.CA()))
}

// startWith serves with credentials.
func startWith(t *testing.T, s *protocol.Server, c *protocol.Credentials) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return startOn(t, s, tls.NewListener(l, c.Server()))
}

func credentials(t *testing.T, cert, key, ca string) *protocol.Credentials {
	t.Helper()
	c, err := protocol.OpenCredentials(cert, key, ca)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// clientTLS is a client with a certificate of a, which is a client's unless
// change says otherwise.
func clientTLS(t *testing.T, a *testca.Authority, name string, change ...func(*x509.Certificate)) *tls.Config {
	t.Helper()
	cert, key := issue(t, a, name, append([]func(*x509.Certificate){testca.For(x509.ExtKeyUsageClientAuth)}, change...)...)
	return credentials(t, cert, key, a.CA()).Client()
}
