package mac

import (
	"encoding/binary"
	"slices"

	"pbochsm/keystore"
)

// A procedure is a recipe made ready for the cards of some profiles: what one
// operation after the other does not have to look up.
type procedure struct {
	recipe // with the variants of the profiles
	runs   []Run
	ranged []Field // the inputs that can be out of range
	usual  usual   // how they mostly are
	only   byte    // what Type is where it is no input; else 0

	ofSession, ofLock, ofClaimed, ofMade pieces
}

// procedures are those of each kind by the variants that apply, a bit each.
var procedures = compileRecipes()

func compileRecipes() (all [numKinds][]procedure) {
	for k := range recipes {
		r := &recipes[k]
		for applied := range 1 << len(r.variant) {
			all[k] = append(all[k], r.with(applied).compile())
		}
	}
	return all
}

// under is the procedure of kind k for the cards of a profile.
func (k Kind) under(p *keystore.Profile) *procedure {
	applied := 0
	for i, v := range recipes[k].variant {
		if p.Switches[v.by] == v.reading {
			applied |= 1 << i
		}
	}
	return &procedures[k][applied]
}

// with is the recipe with those of its variants that apply.
func (r *recipe) with(applied int) recipe {
	own := *r
	for i, v := range r.variant {
		if applied>>i&1 == 0 {
			continue
		}
		if v.usage != 0 {
			own.usage = v.usage
		}
		if v.claimed != nil {
			own.claimed = v.claimed
		}
		own.direct = own.direct || v.direct
	}
	return own
}

func (r recipe) compile() procedure {
	p := procedure{
		recipe: r, runs: runsOf(r.inputs),
		ofSession: r.session.pieces(), ofLock: r.lock.pieces(),
		ofClaimed: r.claimed.pieces(), ofMade: r.made.pieces(),
	}
	for _, f := range r.inputs {
		if r.command != nil || slices.Contains([]Field{Type, Date, Time, AuthCode}, f) {
			p.ranged = append(p.ranged, f)
		}
	}
	if len(r.types) == 1 {
		p.only = byte(r.types[0])
	}
	p.usual = usualOf(&r, p.ranged)
	return p
}

// A usual is what the fields of a transaction that can be out of range are in
// nearly all that are not: it takes a few steps to see, and spares the
// search for the one that is. What it does not know may be in range all the same.
type usual struct {
	known bool
	types [4]uint64 // a bit for each that Type may be
	dated bool      // there are Date and Time
}

func usualOf(r *recipe, ranged []Field) (u usual) {
	u.known = r.command == nil && !slices.Contains(ranged, AuthCode)
	u.dated = slices.Contains(ranged, Date) && slices.Contains(ranged, Time)
	u.known = u.known && u.dated == (slices.Contains(ranged, Date) || slices.Contains(ranged, Time))
	for _, t := range r.types {
		u.types[t>>6] |= 1 << (t & 63)
	}
	if !slices.Contains(ranged, Type) {
		u.types = [4]uint64{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}
	}
	return u
}

func (u *usual) is(op *Op) bool {
	t := op.fields[typeAt]
	return u.known && u.types[t>>6]>>(t&63)&1 != 0 && (!u.dated || usualDate(op))
}

// usualDate tells whether Date is a day of a common year and Time one of a day.
// They lie side by side.
func usualDate(op *Op) bool {
	x := binary.BigEndian.Uint64(op.fields[dateAt:]) >> 8
	year, month, day := uint16(x>>40), byte(x>>32), byte(x>>24)
	return decimal(uint32(x>>32)) && decimal(uint32(x)) && year != 0 && int(month) < len(lastDay) &&
		day != 0 && day <= lastDay[month] && byte(x>>16) < 0x24 && byte(x>>8) < 0x60 && byte(x) < 0x60
}

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
func (p *procedure) check(op *Op, profile *keystore.Profile) error {
	if int(op.Levels) > len(op.Factors) {
		return Factors.invalid()
	}
	if p.usual.is(op) {
		return nil
	}
	for _, f := range p.ranged {
		if !p.fits(f, op, profile) {
			return f.invalid()
		}
	}
	return nil
}

func (p *procedure) fits(f Field, op *Op, profile *keystore.Profile) bool {
	switch f {
	case Type:
		return p.allows(TransactionType(Type.Bytes(op)[0]))
	case Date:
		return BCDDate(Date.Bytes(op)).valid()
	case Time:
		return BCDTime(Time.Bytes(op)).valid()
	case AuthCode:
		want := 0
		if authCode(op, profile) {
			want = AuthCode.Width()
		}
		return len(AuthCode.Bytes(op)) == want
	}
	return p.command.fits(f, op, profile)
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

// chain turns a checked op into c, which is zero: the chain that answers it,
// with the claimed message first, then the one to be made.
func (p *procedure) chain(op *Op, c *Chain, s setting) error {
	c.Levels = op.Levels
	c.Factors = op.Factors
	if p.command != nil {
		return p.command.chain(&p.recipe, op, c, s)
	}
	if p.only != 0 {
		Type.Bytes(op)[0] = p.only
	}
	c.Final = FinalTAC
	if p.ofSession != nil {
		c.Final = FinalSession
		c.Data = p.ofSession.block(op)
	}
	if p.ofLock != nil {
		c.Final = FinalLock
		c.Lock = p.ofLock.block(op)
	}
	if p.direct {
		c.Final, c.Mode = FinalCard, ModeRetail
		var m Message
		p.ofClaimed.fill(&m, op, s.block())
		c.Script = &Script{Data: append([]byte(nil), m.Data[:8*m.Blocks]...)}
		return nil
	}
	p.ofClaimed.fill(&c.Message[0], op, s.block())
	p.ofMade.fill(&c.Message[1], op, s.block())
	return nil
}

// pad appends what pieces.fill pads with, to data of any length.
func pad(data []byte, block int) []byte {
	padded := append(data, 0x80)
	return append(padded, make([]byte, (block-len(padded)%block)%block)...)
}
