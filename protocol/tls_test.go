package protocol_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"pbochsm/protocol"
	"pbochsm/protocol/testca"
)

func TestLoadOverTLS(t *testing.T) {
	a := newAuthority(t)
	s := newServer(t)
	client := newClient(t, startTLS(t, s, a))
	client.TLS = clientTLS(t, a, "client")
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
	ours, foreign := newAuthority(t), newAuthority(t)
	good := func() *tls.Config { return clientTLS(t, ours, "client") }
	for _, tc := range []struct {
		name   string
		config func() *tls.Config
	}{
		{"no certificate", func() *tls.Config {
			c := good()
			c.GetClientCertificate = nil
			return c
		}},
		{"certificate of a foreign authority", func() *tls.Config {
			c := clientTLS(t, foreign, "client")
			c.RootCAs = good().RootCAs
			return c
		}},
		{"expired certificate", func() *tls.Config {
			return clientTLS(t, ours, "old", testca.Expired)
		}},
		{"certificate of a server", func() *tls.Config {
			return clientTLS(t, ours, "other", testca.For(x509.ExtKeyUsageServerAuth))
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
	a := newAuthority(t)
	addr := startTLS(t, newServer(t), a)
	config := clientTLS(t, a, "client")
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
	c := dial(t, startTLS(t, s, newAuthority(t)))
	_, _ = c.Write([]byte{0x16, 3, 1}) // the beginning of a record
	mustClose(t, c)
	eventually(t, "the handshake failed", func() bool { return s.Stats().Failed == 1 })
}

// A client is its key, not its address.
func TestCapPerCertificate(t *testing.T) {
	a := newAuthority(t)
	s := newServer(t)
	s.Limits = protocol.Limits{Connections: 9, PerClient: 1}
	addr := startTLS(t, s, a)
	one := clientTLS(t, a, "one")
	two := clientTLS(t, a, "two")
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
	a := newAuthority(t)
	s := newServer(t)
	addr := startTLS(t, s, a)
	c, err := tls.Dial("tcp", addr, clientTLS(t, a, "client"))
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
	a := newAuthority(t)
	cert, key := issue(t, a, "server", testca.For(x509.ExtKeyUsageServerAuth))
	for name, files := range map[string][3]string{
		"no certificate":            {"none", key, a.CA()},
		"key of another":            {a.CA(), key, a.CA()},
		"no authority":              {cert, key, "none"},
		"authority without content": {cert, key, key},
	} {
		if _, err := protocol.OpenCredentials(files[0], files[1], files[2]); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
}

// New connections follow the files from a Reload on; one that is open stays, and
// files that cannot be used change nothing.
func TestTLSReload(t *testing.T) {
	before, after := newAuthority(t), newAuthority(t)
	cert, key := issue(t, before, "server", testca.For(x509.ExtKeyUsageServerAuth))
	files := credentials(t, cert, key, before.CA())
	addr := startWith(t, newServer(t), files)
	asks := func(client *tls.Config) error {
		c, err := tls.Dial("tcp", addr, client)
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.Write(frame("0001", publishedLoad)); err != nil {
			return err
		}
		_, err = io.ReadFull(c, make([]byte, 2)) // the server judges the client after the client's side is done
		return err
	}
	old, next := clientTLS(t, before, "old"), clientTLS(t, after, "next")
	open, err := tls.Dial("tcp", addr, old)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()

	place := func(from, to string) {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	otherCert, otherKey := issue(t, after, "server", testca.For(x509.ExtKeyUsageServerAuth))
	place(otherCert, cert) // and not its key
	if err := files.Reload(); err == nil {
		t.Error("a certificate was taken with the key of another")
	}
	if err := asks(old); err != nil {
		t.Errorf("after a failed reload: %v", err)
	}
	place(otherKey, key)
	place(after.CA(), before.CA())
	if err := files.Reload(); err != nil {
		t.Fatal(err)
	}
	if err := asks(next); err != nil {
		t.Errorf("a client of the new authority: %v", err)
	}
	if err := asks(old); err == nil {
		t.Error("a client of the old authority was admitted")
	}
	if _, err := open.Write(frame("0001", publishedLoad)); err != nil {
		t.Error(err)
	}
	if got := readFrame(t, open); got != "0001WB003A845BF0" {
		t.Errorf("on the connection that was open: %q", got)
	}
}

// One handshake at a time: who waits too long for his turn is sent away.
func TestTLSHandshakesAtOnce(t *testing.T) {
	s := newServer(t)
	s.Limits = shortLimits()
	s.Limits.Handshakes = 1
	addr := startTLS(t, s, newAuthority(t))
	for range 3 {
		mustClose(t, dial(t, addr))
	}
	eventually(t, "three have failed", func() bool { return s.Stats().Failed == 3 })
}
