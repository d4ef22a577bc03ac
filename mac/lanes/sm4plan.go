package lanes

import (
	"pbochsm/keystore"
	"pbochsm/mac"
)

// An sm4Plan says which steps an SM4 group takes. It follows from the shapes of
// the chains alone.
type sm4Plan struct {
	lanes       int    // how many are in use
	oneKey      bool   // all chains begin with the same key
	least, most int    // levels
	sessions    bool   // whether a chain has a session key
	locks       bool   // whether one has the key of a grey lock
	scripts     bool   // whether one has a script
	longest     [2]int // message of each side, in blocks of 16 bytes
	shortest    [2]int // the same; 0 if a chain is refused or has a script
}

// draw makes the plan for chains. What a chain has that lanes cannot run it
// notes in the chain's Err.
func (p *sm4Plan) draw(keys *keystore.Snapshot, chains []mac.Chain) {
	*p = sm4Plan{lanes: len(chains), oneKey: true, least: keystore.MaxLevels, shortest: [2]int{mac.MaxBlocks, mac.MaxBlocks}}
	before, known := shape(0), false
	for i := range chains {
		c := &chains[i]
		s, script := shapeOf(c), c.Mode != mac.ModeTransaction
		if known && s == before && !script {
			if refused := chains[i-1].Err; c.Err != nil || refused != nil {
				c.Err = refused
			}
			continue
		}
		if c.Err = admit(keys, c); c.Err == nil {
			p.enter(c)
		} else {
			p.shortest = [2]int{}
		}
		p.oneKey = p.oneKey && c.Err == nil && c.Key == chains[0].Key
		before, known = s, !script
	}
}

// enter lets c take part in its steps.
func (p *sm4Plan) enter(c *mac.Chain) {
	p.least, p.most = min(p.least, int(c.Levels)), max(p.most, int(c.Levels))
	p.sessions = p.sessions || c.Final == mac.FinalSession || c.Final == mac.FinalLock
	p.locks = p.locks || c.Final == mac.FinalLock
	if c.Mode != mac.ModeTransaction {
		p.scripts, p.shortest = true, [2]int{}
		return
	}
	for m := range p.longest {
		n := int(c.Message[m].Blocks) / 2
		p.longest[m], p.shortest[m] = max(p.longest[m], n), min(p.shortest[m], n)
	}
}
