package protocol

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// Credentials are what one side of mutual TLS 1.3 shows and whom it believes,
// from PEM files: its own certificate with its key, and the authority that the
// other side must have its own from. The files are read when they are opened and
// at each Reload, which new connections follow; those that are open stay. They
// are safe for concurrent use.
type Credentials struct {
	certFile, keyFile, caFile string
	now                       atomic.Pointer[loaded]
}

// What is loaded from the files is one whole: a certificate is never seen with
// the authority of another time.
type loaded struct {
	own       tls.Certificate
	authority *x509.CertPool
	server    *tls.Config
}

// OpenCredentials reads the three files.
func OpenCredentials(certFile, keyFile, caFile string) (*Credentials, error) {
	c := &Credentials{certFile: certFile, keyFile: keyFile, caFile: caFile}
	return c, c.Reload()
}

// Reload reads the files again. Where one of them cannot be used, what was read
// before stays in force.
func (c *Credentials) Reload() error {
	own, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("protocol: certificate: %w", err)
	}
	text, err := os.ReadFile(c.caFile)
	if err != nil {
		return fmt.Errorf("protocol: authority: %w", err)
	}
	l := &loaded{own: own, authority: x509.NewCertPool(), server: base()}
	if !l.authority.AppendCertsFromPEM(text) {
		return fmt.Errorf("protocol: authority: no certificate in %s", c.caFile)
	}
	l.server.Certificates = []tls.Certificate{own}
	l.server.ClientAuth, l.server.ClientCAs = tls.RequireAndVerifyClientCert, l.authority
	c.now.Store(l)
	return nil
}

// NotAfter is when the own certificate ends.
func (c *Credentials) NotAfter() time.Time { return c.now.Load().own.Leaf.NotAfter }

// Server gives the server's side, which follows each Reload. Sessions are not
// resumed: a resumption would not look at the client's certificate again.
func (c *Credentials) Server() *tls.Config {
	config := base()
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.now.Load().server, nil }
	return config
}

// Client gives the client's side, whose certificate follows each Reload; the
// authority is that of now. The server's name is that of the address unless the
// caller sets another.
func (c *Credentials) Client() *tls.Config {
	config := base()
	config.RootCAs = c.now.Load().authority
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c.now.Load().own, nil }
	return config
}

func base() *tls.Config {
	return &tls.Config{
		MinVersion:             tls.VersionTLS13,
		SessionTicketsDisabled: true,
		// A run of replies is one record, and so one write, from the start.
		DynamicRecordSizingDisabled: true,
	}
}
