package protocol

import (
	"context"
	"fmt"
	"io"

	"pbochsm/mac"
)

// A responder answers batches. It is the server without its sockets.
type responder struct {
	hsm      mac.HSM
	keys     mac.Keys
	rand     io.Reader
	firmware string
	format   Format
	sockets  int
	tokens   func() []TokenState
	stats    *counters
	events   *events
}

// A handler answers a command that needs no HSM: it appends what follows the
// status 00, or says why there is nothing. fields are those before the trailer.
type handler func(r *responder, fields scanner, out []byte) ([]byte, error)

// collect is the batch's own, under guard: what it takes goes to the end of b.
func (r *responder) collect(b *batch, in []byte, late int) (rest []byte, inStep bool) {
	defer r.guard(b, b.len(), -1, &inStep)
	return b.collect(in, late)
}

// answer asks the HSM the operations of the requests of b in that range, in
// one call. A panic below becomes the answer to the requests that met it; ok is
// then false, because nobody knows what state the panic left behind.
func (r *responder) answer(ctx context.Context, b *batch, from, to int) (ok bool) {
	defer r.guard(b, from, to, &ok)
	if ops := b.opsOf(from, to); len(ops) > 0 {
		r.ask(ctx, ops)
	}
	b.settle(from, to)
	return true
}

// askTogether asks the HSM all the operations of b, which may be of several
// connections. If that panics nothing is answered yet.
func (r *responder) askTogether(ctx context.Context, b *batch) (ok bool) {
	defer r.guard(b, 0, 0, &ok)
	if len(b.ops) > 0 {
		r.ask(ctx, b.ops)
	}
	return true
}

func (r *responder) ask(ctx context.Context, ops []mac.Op) {
	err := r.hsm.Do(ctx, ops)
	if err == nil {
		return
	}
	for i := range ops {
		ops[i].Err = err
	}
}

// replies appends the replies to the requests of b in that range.
func (r *responder) replies(b *batch, out []byte, from, to int) (run []byte, ok bool) {
	start := len(out)
	defer func() {
		if !ok {
			run = b.refuseAll(out[:start], from, to)
		}
	}()
	defer r.guard(b, from, to, &ok)
	for i := from; i < to; i++ {
		out = r.reply(b, &b.requests[i], out)
	}
	return out, true
}

// reply appends the reply to one request.
func (r *responder) reply(b *batch, q *request, out []byte) []byte {
	if q.err == nil {
		var done []byte
		if done, q.err = r.done(b, q, out); q.err == nil {
			return done
		}
	}
	return b.refuse(out, q)
}

// done appends the reply to a request that succeeds.
func (r *responder) done(b *batch, q *request, out []byte) ([]byte, error) {
	if b.format.dialect != nil {
		return b.doneForeign(out, q), nil
	}
	start := len(out)
	out = append(b.openReply(out, q), '0', '0')
	switch {
	case q.op != noOp && q.kind() != 0:
		out = appendAnswer(out, &b.ops[q.op])
	case q.op != noOp:
		out = appendVerdicts(out, b.ops[q.op:q.op+q.count])
	default:
		var err error
		if out, err = commands[q.command-1].serve(r, b.fields(q), out); err != nil {
			return nil, err
		}
	}
	out = append(out, q.frame[q.trailer:]...)
	return closeFrame(out, start), nil
}

// refuseAll appends a refusal to the requests of b in that range.
func (b *batch) refuseAll(out []byte, from, to int) []byte {
	for i := from; i < to; i++ {
		out = b.refuse(out, &b.requests[i])
	}
	return out
}

// guard is deferred around code that a request reaches. It turns a panic into
// the refusal of the requests in that range, which is open if to is negative.
func (r *responder) guard(b *batch, from, to int, ok *bool) {
	cause := recover()
	if cause == nil {
		return
	}
	r.stats.panics.Add(1)
	r.events.panicked(fmt.Sprintf("%T", cause), origin())
	if to < 0 {
		to = b.len()
	}
	b.fail(from, to, ErrInternal)
	*ok = false
}

// account counts the answers to the requests of b in that range, all of one
// client, and logs the refusals.
func (r *responder) account(b *batch, from, to int, client string) {
	run, count := &r.stats.requests[0][0], uint64(0) // neighbours are often alike
	for i := from; i < to; i++ {
		q := &b.requests[i]
		s := StatusOf(q.err)
		if cell := &r.stats.requests[q.command][s]; cell != run {
			run.Add(count)
			run, count = cell, 0
		}
		count++
		if q.err != nil {
			r.events.refused(client, r.format.codeAt(q.command), s, q.err)
		}
	}
	run.Add(count)
}
