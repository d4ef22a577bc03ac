package batch

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
)

// Errors of Do. After ErrFull and ErrClosed nothing was begun; after ErrLeft,
// which has the error of the context with it, nobody knows.
var (
	ErrFull   = errors.New("batch: too many wait")
	ErrClosed = errors.New("batch: closed")
	ErrLeft   = errors.New("batch: the caller did not wait for the end")
)

// Limits of a Queue.
type Limits struct {
	Workers int // batches under way at once
	Most    int // items of one
	Waiting int // items that wait for a batch
}

// A Queue is where callers wait for their batch. It is safe for concurrent use.
type Queue[T any] struct {
	limits  Limits
	work    func([]*Item[T])
	waiting chan *Item[T]
	stop    chan struct{} // closed to end it
	ended   chan struct{} // closed when all workers have ended
}

// An Item is what one caller wants. It must be answered exactly once.
type Item[T any] struct {
	Value T
	Ctx   context.Context // of the caller, who is gone when it ends
	done  chan error
}

// Answer lets the caller go on.
func (i *Item[T]) Answer(err error) { i.done <- err }

// New starts the workers. work answers every item of a batch; the slice is its
// own until it returns.
func New[T any](limits Limits, work func([]*Item[T])) *Queue[T] {
	q := &Queue[T]{
		limits: limits, work: work,
		waiting: make(chan *Item[T], limits.Waiting), stop: make(chan struct{}), ended: make(chan struct{}),
	}
	var all sync.WaitGroup
	for range limits.Workers {
		all.Go(q.run)
	}
	go func() { all.Wait(); close(q.ended) }()
	return q
}

// Do waits for the answer to value.
func (q *Queue[T]) Do(ctx context.Context, value T) error {
	select {
	case <-q.stop:
		return ErrClosed
	default:
	}
	i := &Item[T]{Value: value, Ctx: ctx, done: make(chan error, 1)}
	select {
	case q.waiting <- i:
	default:
		return ErrFull
	}
	select {
	case err := <-i.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrLeft, ctx.Err())
	case <-q.ended:
		select {
		case err := <-i.done:
			return err
		default:
			return ErrClosed // it came too late to be looked at
		}
	}
}

// Close finishes the batches that are under way. It is called once.
func (q *Queue[T]) Close() {
	close(q.stop)
	<-q.ended
}

func (q *Queue[T]) run() {
	all := make([]*Item[T], 0, q.limits.Most)
	for {
		select {
		case <-q.stop:
			return // whatever waits
		default:
		}
		select {
		case <-q.stop:
			return
		case i := <-q.waiting:
			all = q.gather(append(all[:0], i))
			q.work(all)
			clear(all)
		}
	}
}

// fruitless is how often in a row others are let run and bring nothing before a
// batch is complete.
const fruitless = 3

// gather adds to all what waits. Callers that can run, because they were
// answered just now, come first: they need not wait for the next batch.
func (q *Queue[T]) gather(all []*Item[T]) []*Item[T] {
	for tries := 0; tries < fruitless && len(all) < q.limits.Most; tries++ {
		runtime.Gosched()
		all, tries = q.take(all, tries)
	}
	return all
}

// take adds what waits now, and begins the count of tries anew if that is
// anything.
func (q *Queue[T]) take(all []*Item[T], tries int) ([]*Item[T], int) {
	for len(all) < q.limits.Most {
		select {
		case i := <-q.waiting:
			all, tries = append(all, i), 0
		default:
			return all, tries
		}
	}
	return all, tries
}
