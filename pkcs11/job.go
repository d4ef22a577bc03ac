//go:build cgo && !nopkcs11 && !windows

package pkcs11

import (
	"errors"
	"sync/atomic"
	"time"

	"pbochsm/mac"
)

// An item is one chain on its way through the token.
type item struct {
	key   keyID
	chain mac.Chain
	look  bool // the key is to be found and checked, no more
	tried bool // a fault has met it once
}

// A job is up to jobSize chains on their way to a worker and back. It has
// copies of the chains, so that whoever waits for it may leave at any time: a
// worker may hang in the token with the job in hand.
type job struct {
	items []item
	next  int           // the worker's: items before it are done
	probe bool          // nothing to compute: is the session alive?
	done  chan struct{} // of one place: the worker never waits for anybody

	progress  atomic.Uint32 // counts items, for whoever waits
	cancelled atomic.Bool   // nobody waits any more
	timer     *time.Timer   // the waiting one's
}

// jobSize bounds a job: between jobs, workers serve others.
const jobSize = 32

func newJob() *job {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return &job{items: make([]item, 0, jobSize), done: make(chan struct{}, 1), timer: t}
}

// errUnanswered is in every chain until it has been computed.
var errUnanswered = errors.New("pkcs11: not computed")

// add puts a chain on the job. What a script writes to is copied as well.
func (j *job) add(key keyID, c *mac.Chain) {
	it := item{key: key, chain: *c}
	if c.Script != nil {
		it.chain.Script = c.Script.Clone()
	}
	j.items = append(j.items, it)
}

// give hands the result of an item to the chain that it was made from.
func (it *item) give(c *mac.Chain) {
	c.MAC, c.Err = it.chain.MAC, it.chain.Err
	if c.Script != nil {
		copy(c.Script.Data, it.chain.Script.Data)
		clear(it.chain.Script.Data)
	}
}

// reset empties a job that has come back.
func (j *job) reset() {
	clear(j.items)
	j.items, j.next, j.probe = j.items[:0], 0, false
	j.progress.Store(0)
}

// finish hands the job back; what has not been computed fails with err.
func (j *job) finish(err error) {
	for ; j.next < len(j.items); j.next++ {
		j.items[j.next].chain.Err = answer(err)
	}
	if j.cancelled.Load() {
		clear(j.items)
	}
	j.done <- struct{}{}
}
