package lanes

import (
	"context"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// A course is the way that a chain takes through this package. It follows from
// its mode and from the cipher of its key.
type course uint8

const (
	transactions course = iota // in DES; what is refused is refused here
	scripts                    // in DES
	sm4Transactions
	sm4Scripts
	numCourses
)

func courseOf(keys *keystore.Snapshot, c *mac.Chain) course {
	if int(c.Key) >= len(keys.Keys()) {
		return transactions
	}
	sm4, script := keys.Key(c.Key).Cipher == keystore.CipherSM4, c.Mode != mac.ModeTransaction
	switch {
	case sm4 && script:
		return sm4Scripts
	case sm4:
		return sm4Transactions
	case script:
		return scripts
	}
	return transactions
}

// runMixed sorts chains by their courses, runs each course, and puts the chains
// back. This is for the few: a batch of transactions in one cipher, which is what
// there are thousands of, never comes here.
func (b *Backend) runMixed(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
	if err := b.insert(ctx, keys, chains); err != nil {
		return err
	}
	var sorted [numCourses][]mac.Chain
	var from [numCourses][]int
	for i := range chains {
		c := courseOf(keys, &chains[i])
		sorted[c] = append(sorted[c], chains[i])
		from[c] = append(from[c], i)
	}
	defer func() {
		for _, s := range sorted {
			clear(s)
		}
	}()
	for course, run := range [numCourses]func(context.Context, *keystore.Snapshot, []mac.Chain) error{
		b.runTransactions, b.runScripts, b.runSM4, b.runSM4,
	} {
		if err := run(ctx, keys, sorted[course]); err != nil {
			return err
		}
		for i, at := range from[course] {
			chains[at] = sorted[course][i]
		}
	}
	return nil
}

// runScripts takes the narrowest core that can.
func (b *Backend) runScripts(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
	c := b.scripts
	g := c.groups.Get().(scripter)
	defer c.groups.Put(g)
	defer g.wipe()
	for len(chains) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(len(chains), c.lanes)
		g.scripts(keys, chains[:n])
		chains = chains[n:]
	}
	return nil
}
