package main

import (
	"crypto/tls"
	"fmt"
	"net"

	"pbochsm/protocol"
)

// A door is a listener and the server behind it.
type door struct {
	listener net.Listener
	server   *protocol.Server
	note     string                // what is printed behind its address
	own      *protocol.Credentials // of TLS
}

// listen opens every listener of cfg, or none. Plain TCP and TLS lead to server.
func listen(cfg *config, server *protocol.Server) (open []door, err error) {
	defer func() {
		if err != nil {
			for _, d := range open {
				_ = d.listener.Close()
			}
		}
	}()
	if cfg.Listen != "" {
		l, err := net.Listen("tcp", cfg.Listen)
		if err != nil {
			return open, err
		}
		open = append(open, door{listener: l, server: server})
	}
	if cfg.TLS.Listen != "" {
		own, err := protocol.OpenCredentials(cfg.TLS.Certificate, cfg.TLS.Key, cfg.TLS.ClientCA)
		if err != nil {
			return open, fmt.Errorf("TLS: %w", err)
		}
		l, err := net.Listen("tcp", cfg.TLS.Listen)
		if err != nil {
			return open, err
		}
		open = append(open, door{tls.NewListener(l, own.Server()), server, " tls", own})
	}
	if cfg.SJL05.Listen != "" {
		other, err := cfg.SJL05.server(server)
		if err != nil {
			return open, err
		}
		l, err := net.Listen("tcp", cfg.SJL05.Listen)
		if err != nil {
			return open, err
		}
		open = append(open, door{listener: l, server: other, note: " sjl05"})
	}
	return open, nil
}
