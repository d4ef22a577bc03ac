package bench

import (
	"context"
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
	"time"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/protocol"
)

// tlsGroup sets the same requests over mutual TLS against plain TCP, both to
// one daemon.
func tlsGroup(ctx context.Context, o *Options) error {
	certs, err := makeCertificates(o.Dir)
	if err != nil {
		return err
	}
	daemon, err := startDaemon(ctx, o.Program, 2, "--tls-listen", "127.0.0.1:0",
		"--tls-cert", certs.file("server.crt"), "--tls-key", certs.file("server.key"), "--tls-client-ca", certs.file("ca.crt"))
	if err != nil {
		return err
	}
	defer daemon.stop()
	config, err := protocol.ClientTLS(certs.file("client.crt"), certs.file("client.key"), certs.file("ca.crt"))
	if err != nil {
		return err
	}
	e, err := newExam(ctx, mac.KindLoad, keystore.UsageLoad, cards)
	if err != nil {
		return err
	}
	secure := func(ctx context.Context) (net.Conn, error) {
		return (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", daemon.addrs[1])
	}
	s := shape{50, 16, 0.6}
	scripts := e.loadScripts(2*s.conns, s.depth)
	return o.contest(ctx, Row{Group: "tls", Name: "mutual TLS, " + s.name("the same in plain")}, s.goal,
		Load{Server: daemon, Dial: secure, Conns: s.conns, Depth: s.depth, Scripts: scripts, Spread: true},
		Load{Server: daemon, Dial: plainDial(daemon.addrs[0]), Conns: s.conns, Depth: s.depth, Scripts: scripts, Spread: true})
}

// certificates are files in a directory.
type certificates string

func (c certificates) file(name string) string { return filepath.Join(string(c), name) }

// makeCertificates makes an authority, a server and a client for an hour.
func makeCertificates(dir string) (certificates, error) {
	c := certificates(dir)
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench"},
		NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return c, err
	}
	if err := c.write("ca", authority, authority, key, key); err != nil {
		return c, err
	}
	for i, name := range []string{"server", "client"} {
		own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return c, err
		}
		leaf := &x509.Certificate{
			SerialNumber: big.NewInt(int64(2 + i)), Subject: pkix.Name{CommonName: name},
			NotBefore: authority.NotBefore, NotAfter: authority.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
			IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		}
		if err := c.write(name, leaf, authority, own, key); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (c certificates) write(name string, leaf, parent *x509.Certificate, own, signer *ecdsa.PrivateKey) error {
	der, err := x509.CreateCertificate(rand.Reader, leaf, parent, &own.PublicKey, signer)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		return err
	}
	for kind, content := range map[string][]byte{"CERTIFICATE": der, "PRIVATE KEY": private} {
		end := ".crt"
		if kind != "CERTIFICATE" {
			end = ".key"
		}
		if err := os.WriteFile(c.file(name+end), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			return err
		}
	}
	return nil
}
