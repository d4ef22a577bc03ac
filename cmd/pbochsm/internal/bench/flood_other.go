//go:build !linux

package bench

import (
	"context"
	"errors"
	"net"
	"time"
)

// A flood is for Linux.
const canFlood = false

func (*flood) run(context.Context, func(context.Context) (net.Conn, error), time.Duration) (*flooded, error) {
	return nil, errors.ErrUnsupported
}
