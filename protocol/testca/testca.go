// Package testca makes certificates that last an hour, for tests and for the
// benchmark of TLS: an authority, and servers and clients that it certifies, as
// files. It is no CA for keys that matter.
package testca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// An Authority issues certificates into files of a directory.
type Authority struct {
	dir    string
	random io.Reader
	now    time.Time
	issued int64
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
}

// New makes an authority in dir, which is there: ca.pem and ca.key. It issues
// what is good for an hour before and after now.
func New(dir string, random io.Reader, now time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return nil, err
	}
	a := &Authority{dir: dir, random: random, now: now, key: key}
	a.cert = a.describe("authority")
	a.cert.IsCA, a.cert.BasicConstraintsValid, a.cert.KeyUsage, a.cert.ExtKeyUsage = true, true, x509.KeyUsageCertSign, nil
	_, _, err = a.write("ca", a.cert, key)
	return a, err
}

// CA is the file with the authority's certificate.
func (a *Authority) CA() string { return filepath.Join(a.dir, "ca.pem") }

// Issue certifies whoever has the address 127.0.0.1, or the name, as server and
// as client, unless change says otherwise. It gives the files, NAME.pem and
// NAME.key.
func (a *Authority) Issue(name string, change ...func(*x509.Certificate)) (cert, key string, err error) {
	own, err := ecdsa.GenerateKey(elliptic.P256(), a.random)
	if err != nil {
		return "", "", err
	}
	c := a.describe(name)
	for _, f := range change {
		f(c)
	}
	return a.write(name, c, own)
}

// Expired makes a certificate a thing of the past.
func Expired(c *x509.Certificate) { c.NotAfter = c.NotBefore.Add(time.Minute) }

// For makes a certificate good for one usage alone.
func For(usage x509.ExtKeyUsage) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{usage} }
}

func (a *Authority) describe(name string) *x509.Certificate {
	a.issued++
	return &x509.Certificate{
		SerialNumber: big.NewInt(a.issued), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: a.now.Add(-time.Hour), NotAfter: a.now.Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
}

func (a *Authority) write(name string, c *x509.Certificate, own *ecdsa.PrivateKey) (cert, key string, err error) {
	der, err := x509.CreateCertificate(a.random, c, a.cert, &own.PublicKey, a.key)
	if err != nil {
		return "", "", err
	}
	private, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		return "", "", err
	}
	cert, key = filepath.Join(a.dir, name+".pem"), filepath.Join(a.dir, name+".key")
	if err := writePEM(cert, "CERTIFICATE", der); err != nil {
		return "", "", err
	}
	return cert, key, writePEM(key, "PRIVATE KEY", private)
}

func writePEM(file, kind string, der []byte) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
