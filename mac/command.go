package mac

import (
	"crypto/subtle"
	"slices"

	"pbochsm/keystore"
)

// A command is what the issuer sends to a card outside a transaction: header,
// body and a MAC over both. The header is the recipe's own; callers fill in no
// more of it than P1 and P2, and nothing is ever MACed or enciphered as it
// comes. See [PBOC] 6.
type command struct {
	cla, ins byte
	data     Field // the body, noData if there is none
	cipher   ciphering
	mac      macing
}

const noData Field = numFields

// A ciphering says what becomes of the body.
type ciphering uint8

const (
	never    ciphering = iota
	always             // Ld ‖ data, padded and enciphered; see [PBOC] 3.3
	asked              // the same, if the field Enciphered says so
	response           // a challenge, enciphered as it is; see [PBOC] 6
)

// A macing says how the command is authenticated.
type macing uint8

const (
	unMACed   macing = iota
	messaging        // over header and body, from the card's challenge on; see [PBOC] 3.2
	folded           // over the PIN alone, under the folded key; see [PBOC] 6
)

const (
	headerSize = 5 // CLA INS P1 P2 Lc
	macSize    = 4
	maxBody    = 255           // what Lc can tell
	maxContent = 255 - macSize // in the clear; less if enciphered
)

// fits tells whether a field of the command is in range.
func (m *command) fits(f Field, op *Op, p *keystore.Profile) bool {
	n := len(f.Bytes(op))
	switch f {
	case Challenge:
		if m.cipher == response {
			return n == 4 || n == 8 || n == 16
		}
		if p.Switches[keystore.SwitchScriptIV] == keystore.ScriptIVZero {
			return n == 0
		}
		return n == 4 || n == 8
	case PIN, Content:
		return n >= f.Least()
	case Response:
		return n == len(Challenge.Bytes(op)) // of whole blocks: see chain
	case Enciphered:
		return Enciphered.Bytes(op)[0] <= 1
	case P2:
		return op.Kind != KindAppBlock || P2.Bytes(op)[0] <= 1
	}
	return true
}

func (m *command) enciphers(op *Op) bool {
	return m.cipher == always || m.cipher == asked && Enciphered.Bytes(op)[0] == 1
}

// body is the data of the command as the caller gave them.
func (m *command) body(op *Op) []byte {
	if m.data == noData {
		return nil
	}
	return m.data.Bytes(op)
}

// header makes the five bytes before a body of n bytes, MAC included.
func (m *command) header(r *recipe, op *Op, n int) [headerSize]byte {
	h := [headerSize]byte{m.cla, m.ins, 0, 0, byte(n)}
	if slices.Contains(r.inputs, P1) {
		h[2] = P1.Bytes(op)[0]
	}
	if slices.Contains(r.inputs, P2) {
		h[3] = P2.Bytes(op)[0]
	}
	return h
}

// chain makes the first chain of the command. One that enciphers and MACs
// needs a second, which follow makes of the first.
func (m *command) chain(r *recipe, op *Op, c *Chain, s setting) error {
	body := m.body(op)
	c.Final = FinalCard
	switch {
	case m.mac == folded:
		c.Final = FinalTAC
		var data []byte
		if s.profile.Switches[keystore.SwitchPINReload] == keystore.PINReloadHeader {
			h := m.header(r, op, len(body)+macSize)
			data = append(data, h[:]...)
		}
		padded := pad(append(data, body...), s.block())
		c.Message[1].Blocks = uint8(len(padded) / 8)
		copy(c.Message[1].Data[:], padded)
	case m.cipher == response:
		padded := append([]byte(nil), body...)
		if len(padded) == 4 { // zeros follow; see [PBOC] 6
			padded = append(padded, 0, 0, 0, 0)
		}
		if len(padded)%s.block() != 0 || len(body) == 4 && r.wrong != nil {
			return Challenge.invalid()
		}
		c.Mode, c.Script = ModeEncipher, &Script{Data: padded}
	case m.enciphers(op):
		framed := frame(body, s)
		if len(framed)+macSize > maxBody {
			return m.data.invalid()
		}
		c.Mode, c.Script = ModeEncipher, &Script{Data: framed}
	default:
		m.authenticate(r, op, c, body, s)
	}
	return nil
}

// frame puts the length before data and pads them for encipherment. See [PBOC]
// 3.3.
func frame(data []byte, s setting) []byte {
	framed := append([]byte{byte(len(data))}, data...)
	if len(framed)%s.block() == 0 && s.profile.Switches[keystore.SwitchAlignedPadding] != keystore.AlignedPaddingOne {
		return framed
	}
	return pad(framed, s.block())
}

// authenticate makes c the chain that MACs header and body. See [PBOC] 3.2.
func (m *command) authenticate(r *recipe, op *Op, c *Chain, body []byte, s setting) {
	h := m.header(r, op, len(body)+macSize)
	script := &Script{Data: pad(append(h[:], body...), s.block())}
	copy(script.IV[:], Challenge.Bytes(op))
	c.Mode, c.Script = ModeRetail, script
}

// follow makes c the chain that comes after it, and tells whether there is one.
func (r *recipe) follow(op *Op, c *Chain, s setting) bool {
	if r.command == nil || c.Err != nil || c.Mode != ModeEncipher || r.command.mac != messaging {
		return false
	}
	r.command.authenticate(r, op, c, c.Script.Data, s)
	return true
}

// judge verifies what the command claims, or hands over what was made.
func (m *command) judge(r *recipe, c *Chain, op *Op) {
	switch {
	case r.wrong != nil:
		if subtle.ConstantTimeCompare(c.Script.Data, r.claim.Bytes(op)) == 0 {
			op.Err = r.wrong
		}
	case m.mac == folded:
		body := m.body(op)
		op.SetCommand(m.assemble(r, op, body, c.MAC[1][:macSize]))
	case m.mac == messaging:
		n := int(c.Script.Data[headerSize-1]) - macSize
		op.SetCommand(m.assemble(r, op, c.Script.Data[headerSize:headerSize+n], c.MAC[0][:macSize]))
	default:
		op.SetCommand(m.assemble(r, op, shortened(c.Script.Data), nil))
	}
}

func (m *command) assemble(r *recipe, op *Op, body, mac []byte) []byte {
	h := m.header(r, op, len(body)+len(mac))
	return slices.Concat(h[:], body, mac)
}

// shortened is a response in 8 bytes: the halves of a longer one XORed. See
// [PBOC] 6.
func shortened(c []byte) []byte {
	if len(c) == 8 {
		return c
	}
	short := make([]byte, 8)
	subtle.XORBytes(short, c[:8], c[8:])
	return short
}
