package ledger

import (
	"context"
	"errors"
)

// A checking goes through the store from when it is opened on. That takes as
// long as the store is large, and nobody should wait for it after a restart;
// but a store that is broken is not to be built on for long.
type checking struct {
	cancel context.CancelFunc
	ended  chan struct{}
}

func startChecking(e engine, fatal func(error)) *checking {
	ctx, cancel := context.WithCancel(context.Background())
	c := &checking{cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		if err := e.check(ctx); errors.Is(err, errLost) {
			fatal(err)
		}
	}()
	return c
}

// stop ends it, wherever it is.
func (c *checking) stop() {
	c.cancel()
	<-c.ended
}
