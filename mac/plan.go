package mac

import "pbochsm/keystore"

// A Plan is an operation worked out as an Engine does it, up to where the key
// comes in: which fields go into which input, and the chain that a backend would
// run. It is for explaining, and it holds no key.
type Plan struct {
	Op      Op // with the fields that the recipe fills in
	Usage   keystore.Usage
	Session []Field // what the session key is made from; nil if there is none
	Lock    []Field // what the second step of a grey lock's key is made from
	Claimed []Field // the input of the MAC that is checked; nil if none is
	Made    []Field // the input of the MAC that is made; nil if none is
	Chain   Chain   // to be run, and to be given its MAC or Script.Data back

	procedure *procedure
	setting   setting
}

// PlanOf plans op for a key of cipher c under a profile. Of a transaction it
// checks no field: one that an Engine refuses can be explained too. Where the
// recipe fixes the type, one that op has all the same is kept. With ErrInvalid
// for a field of an issuer script there is a Plan without a Chain. A generic MAC
// and a raw operation have no recipe, and what needs a serial is none of its own:
// they have no Plan. What writes a key lacks that one until Write.
func PlanOf(op Op, p *keystore.Profile, c keystore.Cipher) (*Plan, error) {
	if !op.Kind.planned() {
		return nil, ErrUnsupported
	}
	if int(op.Levels) > len(op.Factors) {
		return nil, Factors.invalid()
	}
	r := op.Kind.under(p)
	if Type.Bytes(&op)[0] != 0 && r.command == nil {
		free := *r
		free.only = 0
		r = &free
	}
	plan := &Plan{
		Op: op.Clone(), Usage: r.usage, procedure: r, setting: setting{p, c},
		Session: r.session, Lock: r.lock, Claimed: r.claimed, Made: r.made,
	}
	if r.command != nil {
		if err := r.check(&plan.Op, p); err != nil {
			return plan, err
		}
	}
	return plan, r.chain(&plan.Op, &plan.Chain, plan.setting)
}

func (k Kind) planned() bool {
	_, serial := k.WithSerial()
	return k.known() && !k.IsGeneric() && !k.IsRaw() && !serial
}

// Write names the key that a command writes into a card as part of what Chain
// enciphers. Of other operations it does nothing.
func (p *Plan) Write(keys *keystore.Snapshot) error {
	if p.Op.Kind != KindWriteKey {
		return nil
	}
	return writeKey(keys, &p.Op, &p.Chain)
}

// Follow makes Chain the one that comes after it, once it has been run, and
// tells whether there is one. Only a command that is enciphered and then MACed
// takes two.
func (p *Plan) Follow() bool { return p.procedure.follow(&p.Op, &p.Chain, p.setting) }

// Judge puts what the chains gave into the answer of Op, as an Engine does.
func (p *Plan) Judge() { p.procedure.judge(&p.Chain, &p.Op) }
