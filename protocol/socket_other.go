//go:build !linux

package protocol

import "net"

// unread is not known on this system: a drain reads for a while.
func unread(net.Conn) int { return 0 }

// unsent is not known on this system: the peer is given all the time there is.
func unsent(net.Conn) bool { return true }
