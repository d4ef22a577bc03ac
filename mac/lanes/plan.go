package lanes

import (
	"iter"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// A plan says which lanes take part in which step of a group. It follows from
// the shapes of the chains alone: how many levels, which last key, how many
// blocks.
//
// Chains of different shapes share a group. The group takes as many steps as
// the longest of them needs, and for each step a set of lanes says where it
// counts. To sort the chains by shape would give each shape a group of its
// own, and as a server's batch is a short mixture, mostly empty ones. Long
// batches, such as those of a settlement file, come with chains of one shape side
// by side: most of their groups take no step in vain, and the sets cost them a
// few percent.
//
// A group with room to spare is paired: each chain has two lanes, half the
// width apart, and they do side by side what is two passes otherwise: the
// factor and its complement, the first message and the second. A lone load is
// 9 times DES deep instead of 14.
type plan struct {
	paired     bool
	half       int // the distance of a pair
	passes     int
	oneKey     bool // all chains begin with the same key, the usual case
	every      laneSet
	complement [2]laneSet // in each pass, the lanes that diversify with the complement

	levels   int // the most that a chain has
	level    [keystore.MaxLevels]laneSet
	sessions bool // whether a chain has a session key
	tacs     bool // whether one has a TAC key
	tac      laneSet
	locks    bool // whether one has the key of a grey lock
	lock     laneSet
	longest  [2]int                    // message of each side, in blocks
	blocks   [2]int                    // in each pass, of the longest message
	ends     [2][mac.MaxBlocks]laneSet // and the lanes whose message ends with this block
}

// draw makes the plan for chains. What a chain has that lanes cannot run it
// notes in the chain's Err.
func (p *plan) draw(lanes int, keys *keystore.Snapshot, chains []mac.Chain) {
	*p = plan{half: lanes / 2, passes: 2, oneKey: true}
	p.every.add(0, lanes)
	if p.paired = len(chains) <= p.half; p.paired {
		p.passes = 1
		p.complement[0].add(p.half, lanes)
	} else {
		p.complement[1] = p.every
	}
	for first := 0; first < len(chains); {
		s, refused, end := shapeOf(&chains[first]), admit(keys, &chains[first]), first
		for end < len(chains) && shapeOf(&chains[end]) == s {
			chains[end].Err = refused
			end++
		}
		p.oneKey = p.oneKey && refused == nil && chains[first].Key == chains[0].Key
		if refused == nil {
			p.enter(&chains[first], first, end)
		}
		first = end
	}
}

// A shape is all that decides which steps a chain takes, and its key.
type shape uint64

func shapeOf(c *mac.Chain) shape {
	return shape(c.Key) | shape(c.Levels)<<16 | shape(c.Final)<<24 |
		shape(c.Message[0].Blocks)<<32 | shape(c.Message[1].Blocks)<<40
}

// enter lets the chains from first up to end, all of the shape of c, take part
// in their steps.
func (p *plan) enter(c *mac.Chain, first, end int) {
	p.levels = max(p.levels, int(c.Levels))
	p.tacs = p.tacs || c.Final == mac.FinalTAC
	p.locks = p.locks || c.Final == mac.FinalLock
	p.sessions = p.sessions || c.Final == mac.FinalSession || c.Final == mac.FinalLock
	for pass := range p.passes {
		for side, lane := range p.sides(pass) {
			for level := range c.Levels {
				p.level[level].add(lane+first, lane+end)
			}
			if c.Final == mac.FinalTAC {
				p.tac.add(lane+first, lane+end)
			}
			if c.Final == mac.FinalLock {
				p.lock.add(lane+first, lane+end)
			}
			if n := int(c.Message[side].Blocks); n > 0 {
				p.ends[pass][n-1].add(lane+first, lane+end)
				p.blocks[pass] = max(p.blocks[pass], n)
				p.longest[side] = max(p.longest[side], n)
			}
		}
	}
}

// sides gives the messages that a pass runs, each with the lane of the first
// chain's.
func (p *plan) sides(pass int) iter.Seq2[int, int] {
	return func(yield func(side, first int) bool) {
		if !p.paired {
			yield(pass, 0)
			return
		}
		_ = yield(0, 0) && yield(1, p.half)
	}
}
