package protocol

import "pbochsm/mac"

// A Dialect is another language on the connections of a Server: how requests
// are cut out of the stream, what they ask, and how they are answered. Limits,
// deadlines, batches and order are those of every server. It is safe for
// concurrent use.
type Dialect interface {
	// Commands names the commands, at most as many as [WIRE] has, for the
	// counters and the log.
	Commands() []string

	// Need is how many bytes the request that b begins takes or, while b does not
	// tell, how many must have come to know more. A request above the limit is
	// ErrLength and one of no known length ErrCommand; then Need is how many bytes
	// a refusal is made of, and the connection ends with it.
	Need(b []byte, limit int) (int, error)

	// Decode reads a request, all of it, into op, which is zero. command is one
	// more than its place among Commands. op may keep slices of the request until
	// it is answered.
	Decode(request []byte, op *mac.Op) (command uint8, err error)

	// Append appends the reply to a request: what op has, or the refusal that err
	// is, with which there may be no op.
	Append(out, request []byte, op *mac.Op, err error) []byte
}

// cutForeign is cut in a dialect.
func (f Format) cutForeign(b []byte) (frame, rest []byte, err error) {
	n, err := f.dialect.Need(b, f.Limit)
	switch {
	case len(b) < n:
		return nil, b, nil
	case err != nil:
		return b[:n], nil, err
	}
	return b[:n], b[n:], nil
}

// addForeign decodes a request in a dialect.
func (b *batch) addForeign(r *request, late bool) {
	n := len(b.ops)
	b.ops = append(b.ops, mac.Op{})
	if r.command, r.err = b.format.dialect.Decode(r.frame, &b.ops[n]); r.err == nil && late {
		r.err = ErrBusy
	}
	if r.err != nil {
		b.ops[n] = mac.Op{}
		b.ops = b.ops[:n]
		return
	}
	r.op, r.count = n, 1
}

// doneForeign appends the reply to a request that succeeds, and keeps nothing of
// the answer.
func (b *batch) doneForeign(out []byte, r *request) []byte {
	op := &b.ops[r.op]
	out = b.format.dialect.Append(out, r.frame, op, nil)
	op.Withdraw()
	return out
}
