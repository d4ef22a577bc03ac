package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/urfave/cli/v2"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/protocol"
)

// A fleet is daemons that have the same keys. Batches go to them in turn, each
// in frames of many records, and to the next one where one does not answer.
type fleet struct {
	daemons []*fleetMember
	turn    atomic.Uint64
}

type fleetMember struct {
	*protocol.Client
	restUntil atomic.Int64 // Unix nanoseconds: it did not answer, so others go first
}

var _ mac.HSM = (*fleet)(nil)

// rest is how long a daemon that did not answer is asked after all others.
const rest = 5 * time.Second

// openFleet reaches every daemon of --addr. Those that do not answer are left
// out with a warning, as long as one does; others have to have the same keys.
func openFleet(c *cli.Context, conns int) (f *fleet, keys string, err error) {
	f = new(fleet)
	defer func() {
		if err != nil {
			f.close()
		}
	}()
	var silent error
	for _, addr := range strings.Split(c.String("addr"), ",") {
		client, err := dialTo(c, strings.TrimSpace(addr))
		if err != nil {
			return f, "", err
		}
		client.Conns = conns
		diagnosis, err := client.Diagnostics(c.Context)
		if err != nil {
			silent = errors.Join(silent, err)
			_ = client.Close()
			continue
		}
		f.daemons = append(f.daemons, &fleetMember{Client: client})
		print := "daemon " + diagnosis.Check.String()
		if keys != "" && print != keys {
			return f, "", fmt.Errorf("the daemon at %s has other keys than the one at %s", addr, f.daemons[0].Addr)
		}
		keys = print
	}
	if len(f.daemons) == 0 {
		return f, "", silent
	}
	if silent != nil {
		warn(c, "going on without a daemon: %s", oneLine(silent.Error()))
	}
	return f, keys, nil
}

// Do has the next daemon verify, or the one after it.
func (f *fleet) Do(ctx context.Context, ops []mac.Op) error {
	first := int(f.turn.Add(1) % uint64(len(f.daemons)))
	var err error
	for _, late := range []bool{false, true} {
		for i := range f.daemons {
			d := f.daemons[(first+i)%len(f.daemons)]
			if d.resting() != late {
				continue
			}
			if err = d.verify(ctx, ops); err == nil || ctx.Err() != nil {
				return err
			}
			d.restUntil.Store(time.Now().Add(rest).UnixNano())
		}
	}
	return err
}

func (d *fleetMember) resting() bool { return time.Now().UnixNano() < d.restUntil.Load() }

// verify gives an error if the daemon could not verify all of ops, whatever
// the reason is; each is a function of its fields, so all may be asked again.
func (d *fleetMember) verify(ctx context.Context, ops []mac.Op) error {
	if err := d.VerifyTACs(ctx, ops); err != nil {
		return err
	}
	for i := range ops {
		if unable(ops[i].Err) {
			return ops[i].Err
		}
	}
	return nil
}

// unable tells an error of the daemon from one of the operation.
func unable(err error) bool {
	if err == nil {
		return false
	}
	var t *protocol.TransportError
	return errors.As(err, &t) || errors.Is(err, mac.ErrUnavailable) || errors.Is(err, keystore.ErrSealed) ||
		errors.Is(err, protocol.ErrInternal) || errors.Is(err, protocol.ErrReply)
}

func (f *fleet) close() {
	for _, d := range f.daemons {
		_ = d.Close()
	}
}
