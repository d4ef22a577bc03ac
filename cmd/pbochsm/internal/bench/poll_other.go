//go:build !linux

package bench

import (
	"context"
	"errors"
	"net"
	"time"
)

// A poller is for Linux; elsewhere each connection has a goroutine.
type poller struct{}

func newPoller(*Load, []net.Conn) (*poller, error) { return nil, nil } //nolint:nilnil // no poller, and nothing wrong

func (*poller) run(context.Context, time.Duration) (*Result, error) {
	return nil, errors.ErrUnsupported
}

func (*poller) close() {}
