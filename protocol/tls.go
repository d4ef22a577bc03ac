package protocol

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// ServerTLS gives the server's side of mutual TLS 1.3: its own certificate,
// and the authority that clients must have theirs from. Sessions are not
// resumed: a resumption would not look at the client's certificate again.
func ServerTLS(certFile, keyFile, clientCAFile string) (*tls.Config, error) {
	config, authority, err := mutual(certFile, keyFile, clientCAFile)
	if err != nil {
		return nil, err
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	config.ClientCAs = authority
	config.SessionTicketsDisabled = true
	return config, nil
}

// ClientTLS gives the client's side: its certificate, and the authority that
// the server must have its own from. The server's name is that of the address
// unless the caller sets another.
func ClientTLS(certFile, keyFile, serverCAFile string) (*tls.Config, error) {
	config, authority, err := mutual(certFile, keyFile, serverCAFile)
	if err != nil {
		return nil, err
	}
	config.RootCAs = authority
	return config, nil
}

func mutual(certFile, keyFile, caFile string) (*tls.Config, *x509.CertPool, error) {
	own, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, nil, fmt.Errorf("protocol: certificate: %w", err)
	}
	text, err := os.ReadFile(caFile)
	if err != nil {
		return nil, nil, fmt.Errorf("protocol: authority: %w", err)
	}
	authority := x509.NewCertPool()
	if !authority.AppendCertsFromPEM(text) {
		return nil, nil, fmt.Errorf("protocol: authority: no certificate in %s", caFile)
	}
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{own},
		// A run of replies is one record, and so one write, from the start.
		DynamicRecordSizingDisabled: true,
	}, authority, nil
}
