package main

import (
	"crypto/tls"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"pbochsm/cmd/onecard/internal/config"
	"pbochsm/protocol"
)

// openCertificate reads what the API shows, and whom it believes.
func openCertificate(files config.TLS) (*protocol.Credentials, error) {
	return protocol.NewCredentials(func(valid time.Time) (*tls.Config, error) { return serverTLS(files, valid) })
}

// serverTLS gives the server's side of TLS. With a client authority it is
// mutual; sessions are not resumed, since a resumption would not look at the
// client's certificate again. The certificate must be valid at that time unless it
// is zero.
func serverTLS(c config.TLS, valid time.Time) (*tls.Config, error) {
	own, err := protocol.ReadCertificate(c.Certificate, c.Key, valid)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{own}, SessionTicketsDisabled: true}
	if c.ClientCA == "" {
		return t, nil
	}
	if t.ClientCAs, err = protocol.ReadAuthorities(c.ClientCA); err != nil {
		return nil, fmt.Errorf("tls.client_ca: %w", err)
	}
	t.ClientAuth, t.MinVersion = tls.RequireAndVerifyClientCert, tls.VersionTLS13
	return t, nil
}

// certificates are those of this process, by the member of the configuration
// that names them.
func (s *server) certificates() map[string]*protocol.Credentials {
	all := map[string]*protocol.Credentials{}
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
		if err := c.Reload(time.Now()); err != nil {
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
