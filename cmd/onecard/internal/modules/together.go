package modules

import (
	"context"
	"errors"
	"fmt"

	"pbochsm/cmd/onecard/internal/batch"
	"pbochsm/mac"
)

// What callers ask is asked together: a request of many operations costs a
// daemon, the network and this process hardly more than one of a single one.
const (
	underWay     = 2    // requests under way for each daemon
	mostTogether = 256  // callers in one request
	mostWaiting  = 8192 // callers
)

// Do asks one daemon, and those after it for what it left unanswered. Where
// none answered an operation, its error is that of the last one asked.
func (p *Pool) Do(ctx context.Context, ops []mac.Op) error {
	if len(ops) == 0 {
		return nil
	}
	own := make([]mac.Op, len(ops)) // a caller who leaves takes ops away
	for i := range ops {
		own[i] = ops[i].Clone()
	}
	err := p.queue.Do(ctx, own)
	switch {
	case errors.Is(err, batch.ErrLeft), errors.Is(err, batch.ErrFull), errors.Is(err, batch.ErrClosed):
		err = fmt.Errorf("%w: %w", mac.ErrUnavailable, err)
		for i := range ops {
			ops[i].Withdraw()
			ops[i].Err = err
		}
		return err
	}
	copy(ops, own)
	return err
}

// together asks what all callers want. A caller who is alone can end it; many
// are bound by the patience of the clients.
func (p *Pool) together(all []*batch.Item[[]mac.Op]) {
	if len(all) == 1 {
		p.ask(all[0].Ctx, all[0].Value)
		all[0].Answer(verdict(all[0].Value))
		return
	}
	ops := make([]mac.Op, 0, len(all))
	for _, i := range all {
		ops = append(ops, i.Value...)
	}
	p.ask(context.Background(), ops)
	for _, i := range all {
		ops = ops[copy(i.Value, ops):]
		i.Answer(verdict(i.Value))
	}
}

// ask asks one daemon after the other.
func (p *Pool) ask(ctx context.Context, ops []mac.Op) {
	left := ops
	var from []int // where the ops of left stand in ops; nil: they are ops
	for _, m := range p.order() {
		err := m.client.Do(ctx, left)
		for i, j := range from {
			ops[j] = left[i]
		}
		left, from = unanswered(ops)
		if len(left) == 0 || ctx.Err() != nil {
			return
		}
		p.failed(m, err, left)
	}
}

// verdict is nil unless no daemon answered any of the operations.
func verdict(ops []mac.Op) error {
	for i := range ops {
		if !elsewhere(ops[i].Err) {
			return nil
		}
	}
	return fmt.Errorf("%w (%w)", ErrNone, ops[0].Err)
}
