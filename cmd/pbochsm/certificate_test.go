package main

import (
	"crypto/rand"
	"os"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"pbochsm/protocol/testca"
)

// makeCertificates is "certificates DIR": a CA, and a server and a client that
// it has certified, as DIR/ca.pem, server.pem, server.key, client.pem,
// client.key.
func makeCertificates(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	ca, err := testca.New(dir, rand.Reader, time.Now())
	ts.Check(err)
	for _, name := range []string{"server", "client"} {
		_, _, err := ca.Issue(name)
		ts.Check(err)
	}
}
