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

// Credentials are what one side of TLS shows and whom it believes, from PEM files.
// The files are read when they are opened and at each Reload, which new
// connections follow; those that are open stay. They are safe for concurrent
// use.
type Credentials struct {
	read func(valid time.Time) (*tls.Config, error)
	now  atomic.Pointer[tls.Config] // the server's side, with all that is known
}

// OpenCredentials reads what mutual TLS 1.3 takes: the own certificate with its
// key, and the authority that the other side must have its own from. Sessions are
// not resumed: a resumption would not look at the client's certificate again.
func OpenCredentials(certFile, keyFile, caFile string) (*Credentials, error) {
	return NewCredentials(func(valid time.Time) (*tls.Config, error) { return mutual(certFile, keyFile, caFile, valid) })
}

// NewCredentials takes the server's side from read, which is called now and at
// each Reload: its first certificate is the own one, which must be valid at that
// time unless it is zero.
func NewCredentials(read func(valid time.Time) (*tls.Config, error)) (*Credentials, error) {
	c := &Credentials{read: read}
	return c, c.Reload(time.Time{})
}

// Reload reads the files again. Where one of them cannot be used, or the own
// certificate is not valid now, what was read before stays in force.
func (c *Credentials) Reload(now time.Time) error {
	config, err := c.read(now)
	if err == nil {
		c.now.Store(config)
	}
	return err
}

func mutual(certFile, keyFile, caFile string, valid time.Time) (*tls.Config, error) {
	own, err := ReadCertificate(certFile, keyFile, valid)
	if err != nil {
		return nil, err
	}
	authorities, err := ReadAuthorities(caFile)
	if err != nil {
		return nil, err
	}
	config := base()
	config.Certificates = []tls.Certificate{own}
	config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, authorities
	return config, nil
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
func (c *Credentials) NotAfter() time.Time { return c.own().Leaf.NotAfter }

func (c *Credentials) own() *tls.Certificate { return &c.now.Load().Certificates[0] }

// Server gives the server's side, which follows each Reload.
func (c *Credentials) Server() *tls.Config {
	config := c.now.Load().Clone()
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.now.Load(), nil }
	return config
}

// Client gives the client's side, whose certificate follows each Reload; the
// authority is that of now. The server's name is that of the address unless the
// caller sets another.
func (c *Credentials) Client() *tls.Config {
	config := base()
	config.RootCAs = c.now.Load().ClientCAs
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return c.own(), nil }
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
