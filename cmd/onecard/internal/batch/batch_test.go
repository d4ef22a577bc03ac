package batch_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"pbochsm/cmd/onecard/internal/batch"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errOdd = errors.New("odd")

func verdict(n int) error {
	if n%2 == 1 {
		return errOdd
	}
	return nil
}

// Whoever asks gets the answer to what it asked, and batches keep their bound.
func TestEachCallerHasItsAnswer(t *testing.T) {
	const most = 7
	q := batch.New(batch.Limits{Workers: 3, Most: most, Waiting: 1000}, func(all []*batch.Item[int]) {
		if len(all) == 0 || len(all) > most {
			t.Errorf("a batch of %d", len(all))
		}
		for _, i := range all {
			i.Answer(verdict(i.Value))
		}
	})
	defer q.Close()
	var callers sync.WaitGroup
	for n := range 500 {
		callers.Go(func() {
			if err := q.Do(context.Background(), n); !errors.Is(err, verdict(n)) {
				t.Errorf("%d was answered %v", n, err)
			}
		})
	}
	callers.Wait()
}

// What arrives while a batch is under way is the next one, as a whole.
func TestWhatWaitsIsTheNextBatch(t *testing.T) {
	sizes, begun, goOn := make(chan int, 2), make(chan struct{}, 2), make(chan struct{})
	q := batch.New(batch.Limits{Workers: 1, Most: 100, Waiting: 2}, func(all []*batch.Item[int]) {
		begun <- struct{}{}
		<-goOn
		sizes <- len(all)
		for _, i := range all {
			i.Answer(nil)
		}
	})
	defer q.Close()
	var callers sync.WaitGroup
	ask := func(ctx context.Context, want error) {
		callers.Go(func() {
			if err := q.Do(ctx, 1); !errors.Is(err, want) {
				t.Errorf("a caller got %v, want %v", err, want)
			}
		})
	}
	ask(context.Background(), nil)
	<-begun
	leaving, leave := context.WithCancel(context.Background())
	leave()
	for range 2 { // they fill the queue, and are answered to nobody
		if err := q.Do(leaving, 1); !errors.Is(err, batch.ErrLeft) || !errors.Is(err, context.Canceled) {
			t.Errorf("a caller that left got %v", err)
		}
	}
	if err := q.Do(context.Background(), 1); !errors.Is(err, batch.ErrFull) {
		t.Errorf("beyond what may wait: %v", err)
	}
	goOn <- struct{}{}
	<-begun
	goOn <- struct{}{}
	callers.Wait()
	if first, second := <-sizes, <-sizes; first != 1 || second != 2 {
		t.Errorf("batches of %d and %d, want 1 and 2", first, second)
	}
}

// Closing answers the batch under way and refuses what waits.
func TestClose(t *testing.T) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	q := batch.New(batch.Limits{Workers: 1, Most: 1, Waiting: 10}, func(all []*batch.Item[int]) {
		close(begun)
		<-goOn
		all[0].Answer(errOdd)
	})
	first := make(chan error, 1)
	go func() { first <- q.Do(context.Background(), 1) }()
	<-begun
	closed := make(chan struct{})
	go func() { q.Close(); close(closed) }()
	for !errors.Is(q.Do(canceled(), 2), batch.ErrClosed) { // until Close has begun
	}
	close(goOn)
	<-closed
	if err := <-first; !errors.Is(err, errOdd) {
		t.Errorf("what was under way got %v", err)
	}
	if err := q.Do(context.Background(), 3); !errors.Is(err, batch.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
