package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/explain"
	"pbochsm/mac/lanes"
	"pbochsm/protocol"
	"pbochsm/vectors"
)

// A testDaemon is the security module of the sandbox: the daemon of pbochsm
// with the published test keys, in this process, at the far end of a real
// socket.
type testDaemon struct {
	server *protocol.Server
	addr   string
	served chan error

	explainer explain.Explainer // with the keys that it serves
}

// startTestDaemon serves on addr, a loopback address, once the arithmetic has
// passed every vector.
func startTestDaemon(ctx context.Context, addr string, log *slog.Logger) (*testDaemon, error) {
	snapshot, err := vectors.Snapshot()
	if err != nil {
		return nil, err
	}
	live := keystore.NewLive(snapshot)
	engine := mac.NewEngine(live, lanes.New())
	if _, err := vectors.Run(ctx, engine, vectors.Options{}); err != nil {
		return nil, fmt.Errorf("self-test: %w", err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, cmdline.Hint(err, "is a daemon running there already? --hsm-listen takes another address, port 0 a free one")
	}
	d := &testDaemon{
		server: &protocol.Server{HSM: engine, Keys: live, Rand: rand.Reader, Now: time.Now, Logger: log, Format: protocol.DefaultFormat()},
		addr:   l.Addr().String(), served: make(chan error, 1), explainer: explain.Explainer{Keys: live, HSM: engine},
	}
	go func() { d.served <- d.server.Serve(context.WithoutCancel(ctx), l) }()
	return d, nil
}

// stop lets what has arrived finish.
func (d *testDaemon) stop(ctx context.Context) error {
	return errors.Join(d.server.Shutdown(ctx), <-d.served)
}
