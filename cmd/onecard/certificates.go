package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"pbochsm/cmd/onecard/internal/config"
)

// A certificate is what the API shows, and whom it believes, from the files of
// the configuration. New connections follow each reload.
type certificate struct {
	files config.TLS
	now   atomic.Pointer[tls.Config]
}

func openCertificate(files config.TLS) (*certificate, error) {
	c := &certificate{files: files}
	return c, c.Reload()
}

// Reload reads the files again. Where they cannot be used, what was read before
// stays in force.
func (c *certificate) Reload() error {
	t, err := serverTLS(c.files)
	if err == nil {
		c.now.Store(t)
	}
	return err
}

// NotAfter is when the certificate ends.
func (c *certificate) NotAfter() time.Time { return c.now.Load().Certificates[0].Leaf.NotAfter }

// server gives the server's side of TLS.
func (c *certificate) server() *tls.Config {
	t := c.now.Load().Clone()
	t.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.now.Load(), nil }
	return t
}

// serverTLS gives the server's side of TLS. With a client authority it is
// mutual; sessions are not resumed, since a resumption would not look at the
// client's certificate again.
func serverTLS(c config.TLS) (*tls.Config, error) {
	own, err := tls.LoadX509KeyPair(c.Certificate, c.Key)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{own}, SessionTicketsDisabled: true}
	if c.ClientCA == "" {
		return t, nil
	}
	text, err := os.ReadFile(c.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("tls.client_ca: %w", err)
	}
	t.ClientCAs = x509.NewCertPool()
	if !t.ClientCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("tls.client_ca: no certificate in %s", c.ClientCA)
	}
	t.ClientAuth, t.MinVersion = tls.RequireAndVerifyClientCert, tls.VersionTLS13
	return t, nil
}

// renewable is a certificate that may be replaced on the disk.
type renewable interface {
	Reload() error
	NotAfter() time.Time
}

// certificates are those of this process, by the member of the configuration
// that names them.
func (s *server) certificates() map[string]renewable {
	all := map[string]renewable{}
	if s.certificate != nil {
		all["tls"] = s.certificate
	}
	if s.system.toHSM != nil {
		all["hsm.tls"] = s.system.toHSM
	}
	return all
}

// reload takes up certificates that have changed on the disk.
func (s *server) reload() {
	for member, c := range s.certificates() {
		if err := c.Reload(); err != nil {
			s.log.Error("a certificate on the disk cannot be used, the old one stays", "of", member, "error", err)
			continue
		}
		s.log.Info("certificate taken up", "of", member, "not_after", c.NotAfter())
	}
}

// measureCertificates tells when the certificates end.
func (s *server) measureCertificates() {
	for member, c := range s.certificates() {
		s.metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "onecard_certificate_not_after_seconds", Help: "when the certificate ends, in seconds since 1970",
			ConstLabels: prometheus.Labels{"of": member},
		}, func() float64 { return float64(c.NotAfter().Unix()) }))
	}
}
