package recharge

import (
	"context"
	"sync"
)

// A gate lets one request at a time work on each name: the second then finds
// the answer of the first. It spares work; that nothing happens twice does not
// depend on it.
type gate struct {
	mu   sync.Mutex
	busy map[string]*turn
}

type turn struct {
	free    chan struct{} // holds one token while nobody works on the name
	waiting int
}

// enter waits until nobody else works on name, or answers InProgress when ctx
// ends first. leave must be called once if the error is nil.
func (g *gate) enter(ctx context.Context, name string) (leave func(), err error) {
	g.mu.Lock()
	if g.busy == nil {
		g.busy = map[string]*turn{}
	}
	t := g.busy[name]
	if t == nil {
		t = &turn{free: make(chan struct{}, 1)}
		t.free <- struct{}{}
		g.busy[name] = t
	}
	t.waiting++
	g.mu.Unlock()
	select {
	case <-t.free:
		return func() { t.free <- struct{}{}; g.forget(name, t) }, nil
	case <-ctx.Done():
		g.forget(name, t)
		return nil, refuseFor(InProgress, ctx.Err())
	}
}

func (g *gate) forget(name string, t *turn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.waiting--; t.waiting == 0 {
		delete(g.busy, name)
	}
}

// enterAll enters several gates in the order given, which must be the same
// everywhere: serial, then password, then card.
func (g *gate) enterAll(ctx context.Context, names ...string) (leave func(), err error) {
	var left []func()
	leave = func() {
		for i := len(left) - 1; i >= 0; i-- {
			left[i]()
		}
	}
	for _, name := range names {
		one, err := g.enter(ctx, name)
		if err != nil {
			leave()
			return nil, err
		}
		left = append(left, one)
	}
	return leave, nil
}
