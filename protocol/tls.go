package protocol

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
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
	return c, c.read(time.Time{})
}

// Reload reads the files again. Where one of them cannot be used, or the own
// certificate is not valid now, what was read before stays in force.
func (c *Credentials) Reload(now time.Time) error { return c.read(now) }

func (c *Credentials) read(valid time.Time) error {
	own, err := ReadCertificate(c.certFile, c.keyFile, valid)
	if err != nil {
		return err
	}
	l := &loaded{own: own, server: base()}
	if l.authority, err = ReadAuthorities(c.caFile); err != nil {
		return err
	}
	l.server.Certificates = []tls.Certificate{own}
	l.server.ClientAuth, l.server.ClientCAs = tls.RequireAndVerifyClientCert, l.authority
	c.now.Store(l)
	return nil
}

// ReadCertificate reads a certificate with its key, which must be valid at that
// time unless it is zero.
func ReadCertificate(certFile, keyFile string, valid time.Time) (tls.Certificate, error) {
	own, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return own, fmt.Errorf("protocol: certificate %s: %w", certFile, err)
	}
	if l := own.Leaf; !valid.IsZero() && (valid.Before(l.NotBefore) || valid.After(l.NotAfter)) {
		return own, fmt.Errorf("protocol: certificate %s is valid from %v to %v, and not now", certFile, l.NotBefore, l.NotAfter)
	}
	return own, nil
}

// ReadAuthorities reads the certificates of authorities, one after the other: a
// file that was not written to its end is refused, and not taken for a shorter
// one.
func ReadAuthorities(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("protocol: authority: %w", err)
	}
	pool, found := x509.NewCertPool(), false
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("protocol: authority: no certificate in %s: %w", file, err)
		}
		pool.AddCert(c)
		found, text = true, rest
	}
	if !found || bytes.Contains(text, []byte("-----BEGIN")) {
		return nil, fmt.Errorf("protocol: authority: no whole certificate in %s", file)
	}
	return pool, nil
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
