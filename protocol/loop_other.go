//go:build !linux

package protocol

import "net"

// loops are not there on this system.
type loops struct{}

// admitToLoop leaves every connection to a goroutine.
func (*Server) admitToLoop(*net.TCPConn, string) bool { return false }
