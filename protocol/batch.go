package protocol

import "pbochsm/mac"

// A batch is the requests that are answered together and, among them, the
// operations that the HSM is asked in one call. The requests are slices of the
// buffers that they arrived in, which must stay as they are until the replies
// are made. A batch knows no connections: requests of several may follow one
// another, each appended by its own collect and answered from its own range.
type batch struct {
	format   Format
	limit    int // requests that one collect takes at most
	requests []request
	ops      []mac.Op

	stop int // where the last collect had to stop, if the frames went so far
	room int // bytes that the replies to what it takes may still have
}

type request struct {
	frame   []byte
	trailer int   // where it begins in frame, with its X'19'
	command uint8 // one more than its place in the table; 0: none such
	op      int   // the place of its first operation in ops, or noOp
	count   int   // of its operations
	err     error // why it is refused
}

const noOp = -1

// kind is the operation that the request asks for, 0 if that is none or many.
func (r *request) kind() mac.Kind { return commands[r.command-1].kind }

// replyRoom is how many bytes the replies to the requests of one collect may
// have, give or take one: what a client that asks for much and reads nothing
// can make the server hold.
const replyRoom = 64 << 10

func (b *batch) len() int { return len(b.requests) }

// full tells whether the last collect took all that it may.
func (b *batch) full() bool { return len(b.requests) >= b.stop || b.room <= 0 }

// collect takes the complete frames off the front of in until it has as many
// as it may. Of those that begin in the first late bytes it refuses what would
// be asked of the HSM. It gives back what is left, and tells whether the stream
// is still in step: after a broken frame it is not, and nothing more may be read.
func (b *batch) collect(in []byte, late int) (rest []byte, inStep bool) {
	b.stop, b.room = len(b.requests)+b.limit, replyRoom
	for !b.full() {
		frame, rest, err := b.format.cut(in)
		if err != nil {
			b.refuseFrame(frame, err)
			return nil, false
		}
		if frame == nil {
			break
		}
		b.add(frame, late > 0)
		late -= len(in) - len(rest)
		in = rest
	}
	return in, true
}

// refuseFrame adds the answer to a broken frame if there is a header to answer
// with.
func (b *batch) refuseFrame(frame []byte, err error) {
	if len(frame) < b.format.Header {
		return
	}
	b.requests = append(b.requests, request{frame: frame, trailer: len(frame), op: noOp, err: err})
}

// add decodes one request, unless it is too late for it.
func (b *batch) add(frame []byte, late bool) {
	r := b.nextRequest()
	r.frame, r.trailer, r.op = frame, len(frame), noOp
	b.room -= len(frame) + shortAnswer
	if b.format.dialect != nil {
		b.addForeign(r, late)
		return
	}
	start := b.format.Header + commandSize
	fields := frame[start:]
	r.command = lookup(frame[start-commandSize:])
	if r.command == 0 {
		r.trailer = start + trailerOf(fields)
		r.err = ErrCommand
		return
	}
	c := &commands[r.command-1]
	b.room -= c.longest
	if !late && b.addPlain(r, frame[start-commandSize:]) {
		return
	}
	if c.tail != nil {
		r.trailer = start + c.tail(fields)
	} else {
		r.trailer = start + trailerOf(fields)
	}
	if len(frame)-r.trailer > 1+maxTrailer {
		r.trailer, r.err = len(frame), malformed("trailer")
		return
	}
	switch {
	case c.serve != nil:
	case late:
		r.err = ErrBusy
	case c.kind != 0:
		b.addOp(r, c.kind, frame[start:r.trailer])
	case c.many:
		b.addRecords(r, frame[start:r.trailer])
	}
}

// addPlain decodes a purse operation in one step, if it has the pattern of its
// command and nothing after it.
func (b *batch) addPlain(r *request, text []byte) bool {
	op := b.nextOp()
	last := len(b.ops) - 1
	switch decodePlain(op, r.command, text) {
	case len(text):
		r.op, r.count = last, 1
		return true
	case 0:
	default:
		*op = mac.Op{}
	}
	b.ops = b.ops[:last]
	return false
}

// addOp decodes a purse operation; one that cannot be read is not asked.
func (b *batch) addOp(r *request, k mac.Kind, fields []byte) {
	op := b.nextOp()
	last := len(b.ops) - 1
	if r.err = decodeOp(op, k, fields); r.err != nil {
		*op = mac.Op{}
		b.ops = b.ops[:last]
		return
	}
	r.op, r.count = last, 1
}

// single tells whether r asks for one operation, whose outcome is its own.
func (b *batch) single(r *request) bool { return b.format.dialect != nil || r.kind() != 0 }

// opsOf gives the operations of the requests in that range.
func (b *batch) opsOf(from, to int) []mac.Op {
	first, end := len(b.ops), 0
	for i := from; i < to; i++ {
		if op := b.requests[i].op; op != noOp {
			first, end = min(first, op), op+b.requests[i].count
		}
	}
	return b.ops[min(first, end):end]
}

// settle gives the requests in that range the outcome of their operations.
func (b *batch) settle(from, to int) {
	for i := from; i < to; i++ {
		if r := &b.requests[i]; r.op != noOp && b.single(r) {
			r.err = b.ops[r.op].Err
		}
	}
}

// shed refuses the requests in that range that the HSM was to be asked.
func (b *batch) shed(from, to int) {
	for i := from; i < to; i++ {
		if r := &b.requests[i]; r.op != noOp {
			r.op, r.err = noOp, ErrBusy
		}
	}
}

// fail refuses the requests in that range with err.
func (b *batch) fail(from, to int, err error) {
	for i := from; i < to; i++ {
		r := &b.requests[i]
		r.op, r.err = noOp, err
	}
}

// fields gives what stands between the command and the trailer.
func (b *batch) fields(r *request) []byte {
	return r.frame[b.format.Header+commandSize : r.trailer]
}

// openReply begins the reply to r: length, header and code.
func (b *batch) openReply(out []byte, r *request) []byte {
	header := r.frame[:b.format.Header]
	code := noCommand
	if command := r.frame[len(header):]; len(command) >= commandSize {
		code = replyCode(command)
	}
	return append(openFrame(out, header), code[:]...)
}

// refuse appends the reply to a request that is not done: a status and the
// trailer, nothing else.
func (b *batch) refuse(out []byte, r *request) []byte {
	if d := b.format.dialect; d != nil {
		return d.Append(out, r.frame, nil, r.err)
	}
	start := len(out)
	out = b.openReply(out, r)
	digits := StatusOf(r.err).Digits()
	out = append(out, digits[:]...)
	out = append(out, r.frame[r.trailer:]...)
	return closeFrame(out, start)
}

// nextRequest and nextOp are one more of each, zero: beyond those that a batch has
// its memory always is.
func (b *batch) nextRequest() *request {
	n := len(b.requests)
	if n == cap(b.requests) {
		b.requests = append(b.requests, request{})
	}
	b.requests = b.requests[:n+1]
	return &b.requests[n]
}

func (b *batch) nextOp() *mac.Op {
	n := len(b.ops)
	if n == cap(b.ops) {
		b.ops = append(b.ops, mac.Op{})
	}
	b.ops = b.ops[:n+1]
	return &b.ops[n]
}

// clear forgets the requests and their operations, so that nothing of one
// client is left for the next.
func (b *batch) clear() {
	clear(b.requests)
	clear(b.ops)
	b.requests, b.ops = b.requests[:0], b.ops[:0]
}
