package mac

// check tells which field of op is out of range. What fits here is well
// formed; whether it is true only the MACs can tell.
func (r *recipe) check(op *Op) error {
	if int(op.Levels) > len(op.Factors) {
		return Factors.invalid()
	}
	for _, f := range r.inputs {
		if !r.fits(f, op) {
			return f.invalid()
		}
	}
	return nil
}

func (r *recipe) fits(f Field, op *Op) bool {
	switch f {
	case Type:
		return r.allows(TransactionType(Type.Bytes(op)[0]))
	case Date:
		return BCDDate(Date.Bytes(op)).valid()
	case Time:
		return BCDTime(Time.Bytes(op)).valid()
	case AuthCode: // no profile of this version asks for one
		return len(AuthCode.Bytes(op)) == 0
	}
	return true
}

func (r *recipe) allows(t TransactionType) bool {
	for _, a := range r.types {
		if a == t {
			return true
		}
	}
	return false
}

// compile turns a checked op into the chain that answers it: the claimed
// message first, then the one to be made.
func (r *recipe) compile(op *Op, c *Chain) {
	c.Levels = op.Levels
	c.Factors = op.Factors
	c.Err = nil
	c.MAC = [2][8]byte{}
	if len(r.types) == 1 {
		Type.Bytes(op)[0] = byte(r.types[0])
	}
	c.Final = FinalTAC
	if r.session != nil {
		c.Final = FinalSession
		c.Data = r.session.block(op)
	}
	r.claimed.fill(&c.Message[0], op)
	r.made.fill(&c.Message[1], op)
}

// block concatenates the fields into the 8 bytes that a session key is made
// from; six bytes are followed by 8000. See [PBOC] 5.1 and 5.2.
func (l layout) block(op *Op) [8]byte {
	var m Message
	l.fill(&m, op)
	return [8]byte(m.Data[:8])
}

// fill concatenates the fields into m and pads them: one byte 80, then zeros
// to the end of the block, a whole block of padding if the data end on a
// boundary. No fields make no message. See [PBOC] 3.1.
func (l layout) fill(m *Message, op *Op) {
	*m = Message{}
	if l == nil {
		return
	}
	n := 0
	for _, f := range l {
		n += copy(m.Data[n:], f.Bytes(op))
	}
	m.Data[n] = 0x80
	m.Blocks = uint8(n/8 + 1)
}
