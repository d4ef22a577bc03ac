package mac

import "pbochsm/keystore"

// A setting is what an operation is compiled for besides its fields.
type setting struct {
	profile *keystore.Profile
	cipher  keystore.Cipher
}

// block is the size of the cipher's blocks in bytes.
func (s setting) block() int {
	if s.cipher == keystore.CipherSM4 {
		return 16
	}
	return 8
}

// check tells which field of op is out of range. What fits here is well
// formed; whether it is true only the MACs can tell.
func (r *recipe) check(op *Op, p *keystore.Profile) error {
	if int(op.Levels) > len(op.Factors) {
		return Factors.invalid()
	}
	for _, f := range r.inputs {
		if !r.fits(f, op, p) {
			return f.invalid()
		}
	}
	return nil
}

func (r *recipe) fits(f Field, op *Op, p *keystore.Profile) bool {
	switch f {
	case Type:
		return r.allows(TransactionType(Type.Bytes(op)[0]))
	case Date:
		return BCDDate(Date.Bytes(op)).valid()
	case Time:
		return BCDTime(Time.Bytes(op)).valid()
	case AuthCode:
		want := 0
		if authCode(op, p) {
			want = AuthCode.Width()
		}
		return len(AuthCode.Bytes(op)) == want
	}
	if r.command != nil {
		return r.command.fits(f, op, p)
	}
	return true
}

// authCode tells whether the MAC1 of a purchase ends with an authentication
// code. See [PBOC] 5.3.
func authCode(op *Op, p *keystore.Profile) bool {
	switch p.Switches[keystore.SwitchAuthCode] {
	case keystore.AuthCodeCompound:
		return TransactionType(Type.Bytes(op)[0]) == TypeCompound
	case keystore.AuthCodePurchase:
		return true
	}
	return false
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
func (r *recipe) compile(op *Op, c *Chain, s setting) error {
	c.Levels = op.Levels
	c.Factors = op.Factors
	c.Err = nil
	c.MAC = [2][8]byte{}
	if r.command != nil {
		return r.command.compile(r, op, c, s)
	}
	if len(r.types) == 1 {
		Type.Bytes(op)[0] = byte(r.types[0])
	}
	c.Final = FinalTAC
	if r.session != nil {
		c.Final = FinalSession
		c.Data = r.session.block(op)
	}
	if r.lock != nil {
		c.Final = FinalLock
		c.Lock = r.lock.block(op)
	}
	if r.direct {
		c.Final, c.Mode = FinalCard, ModeRetail
		c.Script = &Script{Data: pad(r.claimed.concat(op), s.block())}
		return nil
	}
	r.claimed.fill(&c.Message[0], op, s.block())
	r.made.fill(&c.Message[1], op, s.block())
	return nil
}

// block concatenates the fields into the 8 bytes that a session key is made
// from; six bytes are followed by 8000, four by 80000000. See [PBOC] 5.1, 5.2
// and 5.7.
func (l layout) block(op *Op) [8]byte {
	var m Message
	l.fill(&m, op, 8)
	return [8]byte(m.Data[:8])
}

// fill concatenates the fields into m and pads them: one byte 80, then zeros
// to the end of the block, a whole block of padding if the data end on a
// boundary. No fields make no message. See [PBOC] 3.1 and 3.4.
func (l layout) fill(m *Message, op *Op, block int) {
	*m = Message{}
	if l == nil {
		return
	}
	n := 0
	for _, f := range l {
		n += copy(m.Data[n:], f.Bytes(op))
	}
	m.Data[n] = 0x80
	m.Blocks = uint8((n/block + 1) * (block / 8))
}

func (l layout) concat(op *Op) []byte {
	var data []byte
	for _, f := range l {
		data = append(data, f.Bytes(op)...)
	}
	return data
}

// pad is the padding of fill for data of any length.
func pad(data []byte, block int) []byte {
	padded := append(data, 0x80)
	return append(padded, make([]byte, (block-len(padded)%block)%block)...)
}
