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
// own, and as a server's batch is a short mixture, mostly empty ones. A batch
// of one shape, such as a settlement file, takes no step in vain; the sets
// cost it a few percent.
//
// A group with room to spare is paired: each chain has two lanes, half the
// width apart, and they do side by side what is two passes otherwise: the
// factor and its complement, the first message and the second. A lone load is
// 9 times DES deep instead of 14.
type plan struct {
	paired     bool
	half       int // the distance of a pair
	passes     int
	every      laneSet
	complement [2]laneSet // in each pass, the lanes that diversify with the complement

	levels   int // the most that a chain has
	level    [keystore.MaxLevels]laneSet
	sessions bool // whether a chain has a session key
	tacs     bool // whether one has a TAC key
	tac      laneSet
	blocks   [2]int                    // in each pass, of the longest message
	ends     [2][mac.MaxBlocks]laneSet // and the lanes whose message ends with this block
}

func (p *plan) draw(lanes int, chains []mac.Chain) {
	*p = plan{half: lanes / 2, passes: 2}
	p.every.add(0, lanes)
	if p.paired = len(chains) <= p.half; p.paired {
		p.passes = 1
		p.complement[0].add(p.half, lanes)
	} else {
		p.complement[1] = p.every
	}
	for first := 0; first < len(chains); {
		s, end := shapeOf(&chains[first]), first+1
		for end < len(chains) && shapeOf(&chains[end]) == s {
			end++
		}
		p.enter(s, first, end)
		first = end
	}
}

// A shape is all that decides which steps a chain takes.
type shape struct {
	refused bool
	levels  uint8
	final   mac.Final
	blocks  [2]uint8
}

func shapeOf(c *mac.Chain) shape {
	return shape{
		refused: c.Err != nil, levels: c.Levels, final: c.Final,
		blocks: [2]uint8{c.Message[0].Blocks, c.Message[1].Blocks},
	}
}

// enter lets the chains from first up to end, all of one shape, take part in
// their steps.
func (p *plan) enter(s shape, first, end int) {
	if s.refused {
		return
	}
	p.levels = max(p.levels, int(s.levels))
	p.tacs = p.tacs || s.final == mac.FinalTAC
	p.sessions = p.sessions || s.final == mac.FinalSession
	for pass := range p.passes {
		for side, lane := range p.sides(pass) {
			for level := range s.levels {
				p.level[level].add(lane+first, lane+end)
			}
			if s.final == mac.FinalTAC {
				p.tac.add(lane+first, lane+end)
			}
			if n := int(s.blocks[side]); n > 0 {
				p.ends[pass][n-1].add(lane+first, lane+end)
				p.blocks[pass] = max(p.blocks[pass], n)
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
