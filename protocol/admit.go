package protocol

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"net"
	"time"
)

// keepAlive finds peers that are gone without a word: 15 s, three times.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 3}

// receiveBuffer is what the system may keep of the requests that a connection
// has sent and nobody has read; what is longer the client keeps. Left to itself,
// Linux keeps some MiB, which under more load than there is time for are all
// late, and on many connections much memory. There is room for one of the longest
// frames.
const receiveBuffer = 64 << 10

// admit starts the service of a connection, or turns it away.
func (s *Server) admit(nc net.Conn) {
	s.stats.accepted.Add(1)
	tcp, isTCP := plain(nc).(*net.TCPConn)
	if isTCP {
		_ = tcp.SetKeepAliveConfig(keepAlive)
		_ = tcp.SetReadBuffer(receiveBuffer)
	}
	address := hostOf(nc.RemoteAddr())
	if isTCP && nc == net.Conn(tcp) && s.Loops >= 0 && s.admitToLoop(tcp, address) {
		return
	}
	c := &conn{server: s, nc: nc}
	c.small = buffer{bytes: c.inline[:], size: smallest}
	c.in = &c.small
	if !s.add(c) {
		s.turnAway(nc, address, tooMany)
		return
	}
	go func() {
		defer s.running.Done()
		defer s.remove(c, &c.client)
		if s.identify(c, address) {
			c.serve()
		}
	}()
}

// Reasons to turn a client away.
const (
	tooMany        = "too many connections"
	tooManyOfYours = "too many connections of this client"
)

// identify finds out who the client is, which for TLS takes a handshake, and
// whether it may have one more connection.
func (s *Server) identify(c *conn, address string) bool {
	client := address
	if t, ok := c.nc.(*tls.Conn); ok {
		if err := s.handshake(t); err != nil {
			s.stats.handshakes.Add(1)
			s.events.turnedAway(address, "TLS handshake: "+err.Error())
			_ = c.nc.Close()
			return false
		}
		client = certificateOf(t, address)
	}
	if !s.enter(client) {
		s.turnAway(c.nc, client, tooManyOfYours)
		return false
	}
	c.client = client
	return true
}

// handshake runs the TLS handshake, a bounded number of them at once.
func (s *Server) handshake(t *tls.Conn) error {
	ctx, cancel := context.WithTimeout(s.work, s.limits.Handshake)
	defer cancel()
	select {
	case s.handshakes <- struct{}{}:
		defer func() { <-s.handshakes }()
		return t.HandshakeContext(ctx)
	case <-ctx.Done():
		return errors.New("too many at once")
	}
}

// certificateOf names a client by the hash of its certificate's public key, so
// that a renewed certificate is still the same client.
func certificateOf(t *tls.Conn, address string) string {
	certificates := t.ConnectionState().PeerCertificates
	if len(certificates) == 0 {
		return address
	}
	sum := sha256.Sum256(certificates[0].RawSubjectPublicKeyInfo)
	return "spki:" + hex.EncodeToString(sum[:])
}

func hostOf(a net.Addr) string {
	if a == nil {
		return "?"
	}
	if host, _, err := net.SplitHostPort(a.String()); err == nil {
		return host
	}
	return a.String()
}

// plain gives the connection below TLS.
func plain(nc net.Conn) net.Conn {
	if t, ok := nc.(*tls.Conn); ok {
		return t.NetConn()
	}
	return nc
}

func (s *Server) turnAway(nc net.Conn, client, reason string) {
	s.stats.refused.Add(1)
	s.events.turnedAway(client, reason)
	_ = nc.Close()
}

// register and unregister keep the listeners that Shutdown closes.
func (s *Server) register(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining.Load() {
		return false
	}
	if s.listen == nil {
		s.listen = make(map[net.Listener]struct{})
	}
	s.listen[l] = struct{}{}
	return true
}

func (s *Server) unregister(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listen, l)
}

// add counts a connection, unless there are too many or the server drains.
func (s *Server) add(c session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining.Load() || len(s.open) >= s.limits.Connections {
		return false
	}
	if s.open == nil {
		s.open = make(map[session]struct{})
		s.clients = make(map[string]int)
	}
	s.open[c] = struct{}{}
	s.stats.open.Add(1)
	s.running.Add(1)
	return true
}

// enter counts a connection for its client, unless that has too many.
func (s *Server) enter(client string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.clients[client] >= s.limits.PerClient {
		return false
	}
	s.clients[client]++
	return true
}

// remove undoes add, and enter if the client is known by then.
func (s *Server) remove(c session, client *string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
	s.stats.open.Add(-1)
	if *client == "" {
		return
	}
	if s.clients[*client]--; s.clients[*client] == 0 {
		delete(s.clients, *client)
	}
}
