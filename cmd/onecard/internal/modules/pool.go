// Package modules is the security module as the money API sees it: one mac.HSM,
// behind which several daemons stand. A daemon that does not answer is left
// out until it answers a health check; what was asked of it is asked of the
// next one, which is safe because every command is a pure function of its
// fields.
package modules

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"pbochsm/cmd/onecard/internal/batch"
	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/protocol"
)

// ErrNone is the lack of any daemon to ask. It is mac.ErrUnavailable.
var ErrNone = fmt.Errorf("modules: no security module answers: %w", mac.ErrUnavailable)

// Options of a Pool. Zero values take the defaults.
type Options struct {
	Every    time.Duration // between two health checks; 1 s
	Patience time.Duration // for the answer to one; 1 s
	Logger   *slog.Logger  // nil: no log
}

// A Pool is safe for concurrent use.
type Pool struct {
	members []*member
	o       Options
	turn    atomic.Uint64
	queue   *batch.Queue[[]mac.Op]
}

var _ mac.HSM = (*Pool)(nil)

// A member is one daemon.
type member struct {
	client *protocol.Client
	up     atomic.Bool
	tokens atomic.Pointer[[]protocol.TokenState] // as of the last health check
}

// New takes the daemons in the order of preference among equals: work goes
// round all that are up. They count as up until they fail.
func New(clients []*protocol.Client, o Options) (*Pool, error) {
	if len(clients) == 0 {
		return nil, errors.New("modules: no address of a security module")
	}
	if o.Every <= 0 {
		o.Every = time.Second
	}
	if o.Patience <= 0 {
		o.Patience = time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	p := &Pool{o: o}
	for _, c := range clients {
		m := &member{client: c}
		m.up.Store(true)
		p.members = append(p.members, m)
	}
	p.queue = batch.New(batch.Limits{Workers: underWay * len(clients), Most: mostTogether, Waiting: mostWaiting}, p.together)
	return p, nil
}

// order is the daemons that are up, beginning with another one each time, and
// then the others: to ask them is better than to answer nothing.
func (p *Pool) order() []*member {
	n := len(p.members)
	first := int(p.turn.Add(1) % uint64(n))
	up, down := make([]*member, 0, n), make([]*member, 0, n)
	for i := range n {
		m := p.members[(first+i)%n]
		if m.up.Load() {
			up = append(up, m)
		} else {
			down = append(down, m)
		}
	}
	return append(up, down...)
}

// unanswered copies the operations that another daemon may yet answer.
func unanswered(ops []mac.Op) (left []mac.Op, from []int) {
	for i := range ops {
		if elsewhere(ops[i].Err) {
			left, from = append(left, ops[i]), append(from, i)
		}
	}
	return left, from
}

// elsewhere tells an error that is the daemon's and not the operation's.
func elsewhere(err error) bool {
	var t *protocol.TransportError
	return errors.As(err, &t) || errors.Is(err, protocol.ErrReply) ||
		errors.Is(err, keystore.ErrSealed) || errors.Is(err, mac.ErrUnavailable)
}

// failed leaves a daemon out until its next good health check.
func (p *Pool) failed(m *member, err error, left []mac.Op) {
	if err == nil {
		err = left[0].Err
	}
	if m.up.Swap(false) {
		p.o.Logger.Warn("security module left out", "address", m.client.Addr, "error", err.Error())
	}
}

// Watch asks every daemon for a sign of life, at once and then again and
// again, until ctx ends.
func (p *Pool) Watch(ctx context.Context) {
	tick := time.NewTicker(p.o.Every)
	defer tick.Stop()
	for {
		_ = p.Check(ctx) // Ready tells
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Check asks every daemon once. It fails if none is fit to serve.
func (p *Pool) Check(ctx context.Context) error {
	var all sync.WaitGroup
	for _, m := range p.members {
		all.Go(func() { p.check(ctx, m) })
	}
	all.Wait()
	return p.Ready()
}

// check asks one daemon for its diagnostics, which a sealed one refuses, and for
// its tokens. That one of them is down takes no daemon out: it may have other
// keys.
func (p *Pool) check(ctx context.Context, m *member) {
	timed, cancel := context.WithTimeout(ctx, p.o.Patience)
	defer cancel()
	_, err := m.client.Diagnostics(timed)
	var tokens []protocol.TokenState
	if err == nil {
		if tokens, err = m.client.Tokens(timed); errors.Is(err, mac.ErrInvalid) {
			err = nil // a daemon that knows of none
		}
	}
	if ctx.Err() != nil {
		return
	}
	m.tokens.Store(&tokens)
	if was := m.up.Swap(err == nil); was != (err == nil) {
		if err == nil {
			p.o.Logger.Info("security module answers again", "address", m.client.Addr)
		} else {
			p.o.Logger.Warn("security module left out", "address", m.client.Addr, "error", err.Error())
		}
	}
}

// Ready is nil if a daemon is up.
func (p *Pool) Ready() error {
	for _, m := range p.members {
		if m.up.Load() {
			return nil
		}
	}
	return ErrNone
}

// Tokens tells of the tokens of the daemons, by name and each state once: whether
// it serves, and how it folds TAC keys.
func (p *Pool) Tokens() []protocol.TokenState {
	var all []protocol.TokenState
	for _, m := range p.members {
		if tokens := m.tokens.Load(); tokens != nil {
			all = append(all, *tokens...)
		}
	}
	slices.SortFunc(all, func(a, b protocol.TokenState) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.String(), b.String()))
	})
	return slices.Compact(all)
}

// Up tells, by address, which daemons are up.
func (p *Pool) Up() map[string]bool {
	all := make(map[string]bool, len(p.members))
	for _, m := range p.members {
		all[m.client.Addr] = m.up.Load()
	}
	return all
}

// Close finishes what is under way and closes the connections. It is called
// once, and nothing is asked after it.
func (p *Pool) Close() error {
	p.queue.Close()
	var errs []error
	for _, m := range p.members {
		errs = append(errs, m.client.Close())
	}
	return errors.Join(errs...)
}
