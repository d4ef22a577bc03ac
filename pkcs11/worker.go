//go:build cgo && !nopkcs11 && !windows

package pkcs11

import (
	"fmt"
	"sync/atomic"

	"github.com/miekg/pkcs11"

	"pbochsm/mac"
)

// A worker computes on a session of its own, one chain at a time.
type worker struct {
	b       *Backend
	n       *tenure
	session pkcs11.SessionHandle
	open    bool
	cards   *cache
	link    link

	beat      atomic.Uint64 // odd: inside the token
	abandoned atomic.Bool   // hung, and replaced

	seen  uint64 // the watch's: beat when it last looked
	stale int    // the watch's: how often it was the same
}

// A fault is an error that ends a tenure.
type fault struct {
	class class
	err   error
}

// work serves jobs until the tenure ends or a fault ends it.
func (w *worker) work() {
	f := w.start()
	for f.err == nil {
		j := w.take()
		if j == nil {
			break
		}
		f = w.serve(j)
	}
	if f.class < classDevice {
		w.beat.Add(1)
		w.closeSession()
		w.beat.Add(1)
	}
	w.b.departures <- departure{w, f}
}

// start opens the worker's session.
func (w *worker) start() fault {
	w.beat.Add(1)
	defer w.beat.Add(1)
	if err := w.openSession(); err != nil {
		return fault{grave(classify(err)), err}
	}
	return fault{}
}

// grave is the class of an error that a second session or a second try did not
// cure.
func grave(c class) class {
	if c <= classSession {
		return classDevice
	}
	return c
}

// take waits for a job; nil: the tenure is over. What a fault left over goes
// first.
func (w *worker) take() *job {
	select {
	case <-w.n.stop:
		return nil
	case j := <-w.b.again:
		return j
	default:
	}
	select {
	case <-w.n.stop:
		return nil
	case j := <-w.b.again:
		return j
	case j := <-w.b.queue:
		return j
	}
}

// serve runs a job. If the tenure ends before the job does, what is left goes to
// the workers of the next one.
func (w *worker) serve(j *job) fault {
	for j.next < len(j.items) && !j.cancelled.Load() {
		select {
		case <-w.n.stop:
			w.b.again <- j
			return fault{}
		default:
		}
		f := w.step(j)
		if w.abandoned.Load() {
			j.finish(errHung)
			return fault{}
		}
		if f.err != nil {
			w.b.again <- j
			return f
		}
	}
	if j.probe {
		if f := w.probe(); f.err != nil {
			return f
		}
	}
	j.finish(errUnanswered)
	return fault{}
}

// step computes the next item of a job. A fault that has not met the item
// before leaves it where it is, for another try.
func (w *worker) step(j *job) fault {
	it := &j.items[j.next]
	w.beat.Add(1)
	err := w.compute(it)
	w.beat.Add(1)
	c := classify(err)
	if c == classSession {
		c = classDevice
	}
	if c > classRequest && c < classPIN && !it.tried {
		it.tried = true
		return fault{c, err}
	}
	if it.chain.Err = nil; err != nil {
		it.chain.Err = answer(err)
	}
	j.next++
	j.progress.Add(1)
	if c > classRequest {
		return fault{c, err}
	}
	return fault{}
}

// probe asks whether the session is alive and logged in.
func (w *worker) probe() fault {
	w.beat.Add(1)
	defer w.beat.Add(1)
	if !w.open {
		return fault{}
	}
	if err := w.n.m.loggedIn(w.session); err != nil {
		return fault{grave(classify(err)), err}
	}
	return fault{}
}

// compute runs one chain; if its session dies, once more on another, after the
// key has been held against its check value again.
func (w *worker) compute(it *item) error {
	if !w.open {
		if err := w.openSession(); err != nil {
			return err
		}
	}
	err := w.chain(it)
	if classify(err) != classSession {
		return err
	}
	w.b.count(classSession, err)
	w.closeSession()
	if err := w.openSession(); err != nil {
		return err
	}
	if err := w.n.again(it.key, w.session); err != nil {
		return err
	}
	return w.chain(it)
}

// chain runs one chain.
func (w *worker) chain(it *item) error {
	c := &it.chain
	recipe := w.n.recipes[it.key.cipher]
	if recipe == nil {
		return fmt.Errorf("%w: cipher %s", mac.ErrUnsupported, it.key.cipher)
	}
	if err := w.n.able.refuse(it.key.cipher, c); err != nil {
		return err
	}
	key, err := w.n.master(it.key)
	if err != nil || it.look {
		return err
	}
	l := &w.link
	name := cardKey{master: it.key, ready: c.Final == mac.FinalTAC, levels: c.Levels}
	copy(name.factors[:], c.Factors[:c.Levels])
	cached := w.cards != nil && c.Levels > 0 && c.Script == nil
	var kept pkcs11.ObjectHandle
	if cached {
		kept = w.cards.get(&name)
	}
	switch {
	case it.key.folded:
		fill(l, c, key, finalReady, 0)
	case kept != 0 && name.ready:
		fill(l, c, kept, finalReady, 0)
	case kept != 0:
		fill(l, c, kept, finalOf(it.key.cipher, c.Final), 0)
	default:
		fill(l, c, key, finalOf(it.key.cipher, c.Final), c.Levels)
		if cached {
			l.discard, l.keep = ulong(w.cards.victim()), 1
		}
	}
	defer wipe(l)
	err = w.n.token.lib.run(recipe, w.session, l)
	w.b.derived.Add(uint64(l.derived))
	if l.kept != 0 {
		w.cards.put(&name, pkcs11.ObjectHandle(l.kept))
	}
	if err != nil {
		return err
	}
	collect(l, c)
	if l.residue != 0 { // what could not be destroyed goes with its session
		w.closeSession()
	}
	return nil
}

// openSession gives the worker a session with the login, and no card keys.
func (w *worker) openSession() error {
	s, err := w.n.m.low.OpenSession(w.n.m.slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	if err != nil {
		return callError("C_OpenSession", err)
	}
	w.session, w.open = s, true
	if w.cards = nil; w.b.cfg.Cache > 0 {
		w.cards = newCache(max(1, w.b.cfg.Cache/w.b.cfg.Workers))
	}
	return w.n.m.loggedIn(s)
}

func (w *worker) closeSession() {
	if w.open {
		_ = w.n.m.low.CloseSession(w.session)
		w.open = false
	}
}
