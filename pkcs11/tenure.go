//go:build cgo && !nopkcs11 && !windows

package pkcs11

import (
	"fmt"
	"sync"

	"github.com/miekg/pkcs11"

	"pbochsm/keystore"
)

// A tenure is a time in which handles keep their meaning: from one proof of the
// token to the next fault that may have moved something. Whatever is remembered
// of the token is remembered here, and forgotten with it.
type tenure struct {
	token   *Token
	m       *module
	ended   bool
	anchor  pkcs11.SessionHandle // the copies of keys live and go with it
	able    abilities
	recipes map[keystore.Cipher]*recipe

	stop chan struct{} // closed: the workers finish the chain they are at, and go

	looking sync.Mutex // serializes calls on the anchor; whoever holds it may hang

	mu      sync.Mutex // never held during a call, so that the supervisor never waits
	masters map[keyID]master
}

// A master is a key found, or why it was not.
type master struct {
	key pkcs11.ObjectHandle
	kcv keystore.KCV
	err error
}

// begin proves the token and finds the keys that were known before. If the module
// has not been initialized afresh, one that is missing or another is a fault of
// the module's.
func begin(t *Token, answers []known, floor TACWay, before map[keyID]master, fresh bool) (*tenure, error) {
	t.mu.Lock()
	m := t.m
	t.mu.Unlock()
	if m == nil {
		return nil, errClosed
	}
	n := &tenure{token: t, m: m, stop: make(chan struct{}), masters: map[keyID]master{}, recipes: map[keystore.Cipher]*recipe{}}
	if err := m.loggedIn(m.keeper); err != nil {
		return nil, err
	}
	var err error
	if n.anchor, err = m.low.OpenSession(m.slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION); err != nil {
		return nil, callError("C_OpenSession", err)
	}
	if err := n.prove(answers, floor, before, fresh); err != nil {
		n.end()
		return nil, err
	}
	return n, nil
}

// end gives up what the tenure has in the token. It does so once: the number of
// the session may be another's later on.
func (n *tenure) end() {
	if !n.ended {
		n.ended = true
		_ = n.m.low.CloseSession(n.anchor)
	}
}

func (n *tenure) prove(answers []known, floor TACWay, before map[keyID]master, fresh bool) (err error) {
	var kek pkcs11.ObjectHandle
	t := n.token
	if n.able, kek, err = n.calls().proveAll(t.lib, answers, floor); err != nil {
		return err
	}
	for i := range answers {
		r, err := t.cfg.Profile.recipe(answers[i].cipher, n.able.tac, kek)
		if err != nil {
			return err
		}
		n.recipes[answers[i].cipher] = &r
	}
	for id, old := range before {
		found := n.look(id)
		if found.err == nil && found.kcv != old.kcv {
			found = master{err: fmt.Errorf("%w: %s", errKCV, id)}
		}
		if found.err != nil && (!fresh || classify(found.err) > classRequest) {
			return found.err
		}
		n.masters[id] = found
	}
	return nil
}

func (n *tenure) calls() calls { return calls{n.m.low, n.anchor, &n.token.cfg.Profile} }

// master gives the handle of a key, which it finds at the first call.
func (n *tenure) master(id keyID) (pkcs11.ObjectHandle, error) {
	k, ok := n.recall(id)
	if !ok {
		k = n.find(id)
	}
	return k.key, k.err
}

// recall gives what is remembered of a key.
func (n *tenure) recall(id keyID) (master, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	k, ok := n.masters[id]
	return k, ok
}

// find looks for a key, unless somebody else has just found it.
func (n *tenure) find(id keyID) master {
	n.looking.Lock()
	defer n.looking.Unlock()
	k, ok := n.recall(id)
	if ok {
		return k
	}
	if k = n.look(id); classify(k.err) <= classRequest {
		n.mu.Lock()
		n.masters[id] = k
		n.mu.Unlock()
	}
	return k
}

// look finds a key, holds it against the catalogue and copies it. A key that is
// not there is only missing if the login stands.
func (n *tenure) look(id keyID) (k master) {
	x := n.calls()
	object, err := x.find(id.label, []byte(id.id))
	if err != nil {
		if lost := n.m.loggedIn(n.m.keeper); lost != nil {
			err = lost
		}
		return master{err: err}
	}
	if err := x.audit(object, id.cipher, id.folded); err != nil {
		return master{err: err}
	}
	if k.key, err = x.copy(object); err != nil {
		return master{err: err}
	}
	if k.kcv, err = x.checkValue(k.key, id.cipher); err != nil {
		return master{err: err}
	}
	if !id.folded && k.kcv != id.kcv {
		return master{err: fmt.Errorf("%w: %s: %s, not %s", errKCV, id, k.kcv, id.kcv)}
	}
	return k
}

// again holds a key once more against its check value, through session s.
func (n *tenure) again(id keyID, s pkcs11.SessionHandle) error {
	k, _ := n.recall(id)
	if k.err != nil || k.key == 0 {
		return k.err
	}
	if err := n.m.loggedIn(n.m.keeper); err != nil {
		return err
	}
	kcv, err := calls{n.m.low, s, &n.token.cfg.Profile}.checkValue(k.key, id.cipher)
	if err == nil && kcv != k.kcv {
		err = callError("C_DeriveKey", pkcs11.Error(pkcs11.CKR_KEY_HANDLE_INVALID))
	}
	return err
}

// forget lets missing keys be looked for again.
func (n *tenure) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for id, k := range n.masters {
		if k.err != nil {
			delete(n.masters, id)
		}
	}
}
