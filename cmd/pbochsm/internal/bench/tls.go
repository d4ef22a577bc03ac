package bench

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"net"
	"time"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/protocol"
	"pbochsm/protocol/testca"
)

// tlsGroup sets the same requests over mutual TLS against plain TCP, both to
// one daemon.
func tlsGroup(ctx context.Context, o *Options) error {
	ca, err := testca.New(o.Dir, rand.Reader, time.Now())
	if err != nil {
		return err
	}
	serverCert, serverKey, err := ca.Issue("server")
	if err != nil {
		return err
	}
	clientCert, clientKey, err := ca.Issue("client")
	if err != nil {
		return err
	}
	daemon, err := startDaemon(ctx, o.Program, 2, "--tls-listen", "127.0.0.1:0",
		"--tls-cert", serverCert, "--tls-key", serverKey, "--tls-client-ca", ca.CA())
	if err != nil {
		return err
	}
	defer daemon.stop()
	client, err := protocol.OpenCredentials(clientCert, clientKey, ca.CA())
	if err != nil {
		return err
	}
	e, err := newExam(ctx, mac.KindLoad, keystore.UsageLoad, cards)
	if err != nil {
		return err
	}
	config := client.Client()
	secure := func(ctx context.Context) (net.Conn, error) {
		return (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", daemon.addrs[1])
	}
	s := shape{50, 16, false, 0.6}
	scripts := e.loadScripts(2*s.conns, s.depth)
	return o.contest(ctx, s.row("tls", "mutual TLS, WA", "the same in plain"), s,
		Load{Server: daemon, Dial: secure, Conns: s.conns, Depth: s.depth, Scripts: scripts, Spread: true},
		Load{Server: daemon, Dial: plainDial(daemon.addrs[0]), Conns: s.conns, Depth: s.depth, Scripts: scripts, Spread: true})
}
