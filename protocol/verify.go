package protocol

import (
	"context"
	"errors"
	"fmt"

	"pbochsm/mac"
)

// VerifyTACs has the server verify many TACs: it is Do for operations that
// verify one, with hundreds of them in a frame (WS), which spares most of what
// a command costs. Operations of other kinds are refused. Where the status of
// a command would tell more than the verdict of a record does, the error is
// the nearest one.
func (c *Client) VerifyTACs(ctx context.Context, ops []mac.Op) error {
	return c.do(ctx, ops, isTAC, (*link).verify)
}

func isTAC(k mac.Kind) bool {
	claim, ok := k.Claims()
	return ok && claim == mac.TAC
}

// A span is the operations of one frame, those in between that are not asked
// included.
type span struct{ from, to int }

// verify asks the ops that are marked unanswered, the i-th frame with the
// header first+i, and fills in their answers. Two frames are on their way at a
// time.
func (l *link) verify(ops []mac.Op, first uint64) (answered int, err error) {
	var sent, next span
	for frame := first; ; frame++ {
		if next, err = l.sendRecords(ops, sent.to, frame); err != nil {
			return answered, err
		}
		if sent.to > sent.from {
			if err = l.receiveVerdicts(ops[sent.from:sent.to], frame-1); err != nil {
				return answered, err
			}
			answered += sent.to - sent.from
			l.watch.Reset(l.timeout)
		}
		if next.from == next.to {
			return answered, nil
		}
		sent = next
	}
}

// sendRecords writes a frame of as many ops as fit, from the one at from on.
func (l *link) sendRecords(ops []mac.Op, from int, sequence uint64) (s span, err error) {
	s = span{from, from}
	l.out = l.format.appendSequence(append(l.out[:0], 0, 0), sequence)
	l.out = append(l.out, "WS"...)
	count := len(l.out)
	l.out = append(l.out, "0000"...)
	n := 0
	for ; s.to < len(ops) && n < mostRecords; s.to++ {
		op := &ops[s.to]
		if !errors.Is(op.Err, errUnanswered) {
			continue
		}
		before := len(l.out)
		c, _ := commandOf(op.Kind)
		l.out = appendOp(append(l.out, c.code...), op)
		if len(l.out) > maxFrame+lengthSize {
			clear(l.out[before:])
			l.out = l.out[:before]
			break
		}
		n++
	}
	if n == 0 {
		return span{s.to, s.to}, nil
	}
	_ = appendNumber(l.out[:count], n, 16, countSize)
	l.out = closeFrame(l.out, 0)
	return s, l.write()
}

// receiveVerdicts reads the verdicts on the ops of one frame.
func (l *link) receiveVerdicts(ops []mac.Op, sequence uint64) error {
	s, body, err := l.reply("WS", sequence)
	if err != nil {
		return err
	}
	for i := range ops {
		op := &ops[i]
		switch {
		case !errors.Is(op.Err, errUnanswered):
			continue
		case s != 0:
			op.Err = StatusError(s)
			continue
		case len(body) == 0 || body[0] < '0' || int(body[0]-'0') >= len(verdicts):
			return fmt.Errorf("%w: a verdict is missing or none", ErrReply)
		}
		op.Err = verdicts[body[0]-'0'].errorOf(op.Kind)
		body = body[1:]
	}
	if len(body) > 0 {
		return fmt.Errorf("%w: %d verdicts too many", ErrReply, len(body))
	}
	return nil
}
