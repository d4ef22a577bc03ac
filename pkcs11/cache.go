//go:build cgo && !nopkcs11 && !windows

package pkcs11

import (
	"github.com/miekg/pkcs11"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// A cardKey names a key that a worker has in the token: the card's, or the one
// that makes its TACs.
type cardKey struct {
	master  keyID
	ready   bool // it MACs; otherwise session keys come from it
	levels  uint8
	factors [keystore.MaxLevels]mac.Factor
}

// A cache is the card keys of one worker, session objects on its session. It
// has a bound; what has not been used for a round of the clock goes first.
type cache struct {
	slots []slot
	index map[cardKey]int
	hand  int
}

type slot struct {
	name cardKey
	key  pkcs11.ObjectHandle
	used bool
}

func newCache(size int) *cache {
	return &cache{slots: make([]slot, 0, size), index: make(map[cardKey]int, size)}
}

// get gives a key that is there; 0: it is not.
func (c *cache) get(name *cardKey) pkcs11.ObjectHandle {
	i, ok := c.index[*name]
	if !ok {
		return 0
	}
	c.slots[i].used = true
	return c.slots[i].key
}

// victim gives the key that must be destroyed before another is kept, and
// forgets it; 0: there is room.
func (c *cache) victim() pkcs11.ObjectHandle {
	if len(c.slots) < cap(c.slots) {
		return 0
	}
	for c.slots[c.hand].used {
		c.slots[c.hand].used = false
		c.hand = (c.hand + 1) % len(c.slots)
	}
	s := &c.slots[c.hand]
	delete(c.index, s.name)
	key := s.key
	*s = slot{}
	return key
}

// put keeps a key, in the place of the last victim if there is no other.
func (c *cache) put(name *cardKey, key pkcs11.ObjectHandle) {
	if len(c.slots) < cap(c.slots) {
		c.slots = append(c.slots, slot{})
		c.index[*name] = len(c.slots) - 1
		c.slots[len(c.slots)-1] = slot{*name, key, false}
		return
	}
	c.slots[c.hand] = slot{*name, key, false}
	c.index[*name] = c.hand
	c.hand = (c.hand + 1) % len(c.slots)
}
