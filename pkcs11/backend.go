//go:build cgo && !nopkcs11 && !windows

package pkcs11

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// A Backend runs chains inside a token, and gets the token back after a fault.
// It is safe for concurrent use.
type Backend struct {
	cfg     Config
	token   *Token
	answers []known
	gate    *time.Timer // since the last login

	queue      chan *job // to whichever worker is free
	again      chan *job // what a fault left over
	departures chan departure
	closing    chan struct{}
	closed     chan struct{}
	once       sync.Once
	jobs       sync.Pool

	problem atomic.Pointer[error] // why the token does not serve; nil: it serves, or is about to again
	derived atomic.Uint64         // objects made since the module was initialized

	mu     sync.Mutex
	status Status

	supervision // of the supervisor alone
}

var _ mac.Backend = (*Backend)(nil)

// Serve opens a token, proves it by known answers, and computes in it until
// Close.
func Serve(ctx context.Context, cfg Config) (*Backend, error) { return serve(ctx, cfg, knownAnswers) }

func serve(ctx context.Context, cfg Config, answers []known) (*Backend, error) {
	t, err := Open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	b := &Backend{
		cfg: t.cfg, token: t, answers: fitting(&t.cfg.Profile, answers), gate: time.NewTimer(loginPause),
		queue: make(chan *job), closing: make(chan struct{}), closed: make(chan struct{}),
		jobs:        sync.Pool{New: func() any { return newJob() }},
		supervision: supervision{live: map[*worker]bool{}, stuck: map[*worker]bool{}, known: map[keyID]master{}, floor: t.cfg.TAC},
	}
	crew := b.cfg.Workers + b.cfg.Abandon + 1
	b.again, b.departures = make(chan *job, 2*crew), make(chan departure, 2*crew)
	n, err := begin(t, b.answers, b.floor, nil, true)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("pkcs11: the token does not pass its known answers: %w", err), t.Close())
	}
	b.install(n)
	go b.supervise()
	return b, nil
}

// Close stops the workers and closes the token. Chains that run are finished;
// those that wait fail.
func (b *Backend) Close() error {
	b.once.Do(func() { close(b.closing) })
	<-b.closed
	return b.farewell
}

// Run computes chains in the token. Chains fail one by one; as a whole Run
// fails only if ctx ends or the token is gone.
func (b *Backend) Run(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
	if err := b.unavailable(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	size := min(jobSize, max(1, len(chains)/(2*b.cfg.Workers)))
	if len(chains) <= size {
		return b.part(ctx, keys, chains)
	}
	return b.parts(ctx, keys, chains, size)
}

// parts runs a batch in parts. There are twice as many under way as there are
// workers, so that none of them waits for work.
func (b *Backend) parts(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain, size int) error {
	var next atomic.Int64
	var failed atomic.Pointer[error]
	each := func() {
		for failed.Load() == nil {
			from := int(next.Add(int64(size))) - size
			if from >= len(chains) {
				return
			}
			if err := b.part(ctx, keys, chains[from:min(from+size, len(chains))]); err != nil {
				failed.Store(&err)
			}
		}
	}
	var all sync.WaitGroup
	for range min(2*b.cfg.Workers, (len(chains)+size-1)/size) - 1 {
		all.Go(each)
	}
	each()
	all.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// part runs at most jobSize chains as one job.
func (b *Backend) part(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
	j := b.jobs.Get().(*job)
	for i := range chains {
		c := &chains[i]
		key, err := b.admit(keys, c)
		if c.Err = err; err == nil {
			j.add(key, c)
		}
	}
	if err := b.hand(ctx, j); err != nil {
		for i := range chains {
			if chains[i].Err == nil {
				chains[i].Err = err
			}
		}
		return ctx.Err()
	}
	n := 0
	for i := range chains {
		if c := &chains[i]; c.Err == nil {
			j.items[n].give(c)
			n++
		}
	}
	j.reset()
	b.jobs.Put(j)
	return nil
}

// hand gives a job to a worker and waits until it is done. A job that does not
// come on for as long as the deadline is left behind.
func (b *Backend) hand(ctx context.Context, j *job) error {
	if len(j.items) == 0 {
		return nil
	}
	j.timer.Reset(b.cfg.Deadline)
	defer j.timer.Stop()
	select {
	case b.queue <- j:
	case <-j.timer.C:
		return fmt.Errorf("%w: all workers were busy for %v", mac.ErrUnavailable, b.cfg.Deadline)
	case <-ctx.Done():
		return ctx.Err()
	case <-b.closing:
		return answer(errClosed)
	}
	var progress uint32
	for {
		select {
		case <-j.done:
			return nil
		case <-ctx.Done():
			j.cancelled.Store(true)
			return ctx.Err()
		case <-j.timer.C:
			now := j.progress.Load()
			if now == progress {
				j.cancelled.Store(true)
				return fmt.Errorf("%w: no answer within %v", mac.ErrUnavailable, b.cfg.Deadline)
			}
			progress = now
			j.timer.Reset(b.cfg.Deadline)
		}
	}
}

// unavailable tells why nothing can be computed, if nothing can.
func (b *Backend) unavailable() error {
	if p := b.problem.Load(); p != nil {
		return *p
	}
	return nil
}

// Check finds every key of a snapshot that lives in this token and compares its
// check value. Its error names each key that is missing or another.
func (b *Backend) Check(ctx context.Context, keys *keystore.Snapshot) error {
	var problems []error
	for h := range keys.Keys() {
		for _, id := range b.wanted(keys.Key(keystore.Handle(h))) {
			j := newJob()
			j.items = append(j.items, item{key: id, look: true})
			err := b.hand(ctx, j)
			if err == nil {
				err = j.items[0].chain.Err
			}
			if err != nil {
				problems = append(problems, fmt.Errorf("key %s: %w", keys.Key(keystore.Handle(h)).Ref, err))
			}
		}
	}
	return errors.Join(problems...)
}
