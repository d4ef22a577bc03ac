//go:build cgo && !nopkcs11 && !windows

package pkcs11

import (
	"fmt"

	"github.com/miekg/pkcs11"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// cipherSM4 is SM4 among the ciphers of keys.
const cipherSM4 = keystore.Cipher3DES + 1

// numbers gives the numbers and the block size of a cipher on this token.
func (p *Profile) numbers(c keystore.Cipher) (Cipher, int, error) {
	switch {
	case c == keystore.Cipher3DES:
		return p.DES, 8, nil
	case c == cipherSM4 && p.SM4 != (Cipher{}):
		return p.SM4, 16, nil
	}
	return Cipher{}, 0, fmt.Errorf("%w: profile %s has no cipher %s", mac.ErrUnsupported, p.Name, c)
}

// recipe gives the profile as chain.c wants it, for chains of one cipher.
func (p *Profile) recipe(c keystore.Cipher, way TACWay, kek pkcs11.ObjectHandle) (r recipe, err error) {
	numbers, block, err := p.numbers(c)
	if err != nil {
		return r, err
	}
	r.block = ulong(block)
	r.keyType, r.derive, r.cbc = ulong(numbers.KeyType), ulong(numbers.Derive), ulong(numbers.CBC)
	r.sendLength, r.inlineData, r.private_ = flag(numbers.Length), flag(p.Layout == LayoutInline), flag(!p.Public)
	r.sessionType, r.sessionDerive, r.sessionCBC = r.keyType, r.derive, r.cbc
	r.xorKeys, r.kek, r.way = ulong(p.XORKeys), ulong(kek), byteOf(way)
	if block == 8 {
		f := sessionKeys[p.Session]
		r.sessionType, r.sessionCBC, r.sessionCopies = ulong(f.keyType), ulong(f.cbc), ulong(f.copies)
		if p.Session == SessionDES2 {
			r.sessionType, r.sessionCBC = r.keyType, r.cbc
		}
		if p.Session == SessionDES {
			r.sessionDerive = pkcs11.CKM_DES_ECB_ENCRYPT_DATA
		}
	}
	return r, nil
}

// sessionKeys are the forms of a session key: how often the session data are
// encrypted into it, and what it is then.
var sessionKeys = [...]struct{ keyType, cbc, copies uint }{
	SessionDES2: {pkcs11.CKK_DES2, pkcs11.CKM_DES3_CBC, 2},
	SessionDES3: {pkcs11.CKK_DES3, pkcs11.CKM_DES3_CBC, 3},
	SessionDES:  {pkcs11.CKK_DES, pkcs11.CKM_DES_CBC, 1},
}

// A keyID is what the catalogue says of a key in the token, enough to find it
// and to know it again.
type keyID struct {
	label, id string
	kcv       keystore.KCV
	cipher    keystore.Cipher
	folded    bool // the companion that MACs, see Folded
}

// String gives what may be said of a key.
func (k keyID) String() string { return Spec{Label: k.label, ID: k.id}.String() }

// wanted gives what must be found in the token for a key of the catalogue;
// nothing if the key lives elsewhere.
func (b *Backend) wanted(k *keystore.Key) []keyID {
	if !k.Home.InToken() || b.cfg.Name != "" && k.Home.Token != b.cfg.Name {
		return nil
	}
	id := keyID{label: k.Home.Label, id: k.Home.ID, kcv: k.KCV, cipher: k.Cipher}
	if NeedsFolded(k) {
		return []keyID{id, foldedID(k)}
	}
	return []keyID{id}
}

// foldedID is the companion of a TAC key without levels, see Folded.
func foldedID(k *keystore.Key) keyID {
	home := Folded(k.Home)
	return keyID{label: home.Label, id: home.ID, cipher: k.Cipher, folded: true}
}

// admit finds out where a chain begins, or why it cannot run here.
func (b *Backend) admit(keys *keystore.Snapshot, c *mac.Chain) (keyID, error) {
	if int(c.Key) >= len(keys.Keys()) {
		return keyID{}, keystore.ErrNotFound
	}
	k := keys.Key(c.Key)
	if err := b.cfg.Profile.refuse(c); err != nil {
		return keyID{}, err
	}
	if !k.Home.InToken() || b.cfg.Name != "" && k.Home.Token != b.cfg.Name {
		return keyID{}, fmt.Errorf("%w: key %s does not live in token %q", mac.ErrUnsupported, k.Ref, b.cfg.Name)
	}
	_, block, err := b.cfg.Profile.numbers(k.Cipher)
	if err == nil && c.Script != nil {
		err = refuseScript(c, block)
	}
	if err != nil {
		return keyID{}, err
	}
	if c.Final == mac.FinalTAC && c.Levels == 0 {
		return foldedID(k), nil
	}
	return keyID{label: k.Home.Label, id: k.Home.ID, kcv: k.KCV, cipher: k.Cipher}, nil
}

// refuse says why a chain cannot run here, whatever the state of the token.
func (p *Profile) refuse(c *mac.Chain) error {
	card := c.Final == mac.FinalCard
	switch {
	case c.Final < mac.FinalSession || c.Final > mac.FinalCard:
		return fmt.Errorf("%w: a token has no final key of form %d", mac.ErrUnsupported, c.Final)
	case c.Mode > mac.ModeEncipher || card != (c.Mode != mac.ModeTransaction) || card != (c.Script != nil):
		return fmt.Errorf("%w: a token does not run mode %d with a final key of form %d", mac.ErrUnsupported, c.Mode, c.Final)
	case c.Script != nil && c.Script.Insert != nil:
		return fmt.Errorf("%w: a token does not encipher another key", mac.ErrUnsupported)
	case int(c.Levels) > len(c.Factors):
		return fmt.Errorf("%w: %d levels", mac.ErrUnsupported, c.Levels)
	}
	for i := range c.Message {
		if c.Message[i].Blocks > mac.MaxBlocks {
			return fmt.Errorf("%w: a message of %d blocks", mac.ErrUnsupported, c.Message[i].Blocks)
		}
	}
	return nil
}

// refuseScript says why the chain of a script cannot run here. A retail MAC in
// 3DES needs the left half of the card's key by itself, which can be derived with
// the key and cannot be had from it.
func refuseScript(c *mac.Chain, block int) error {
	switch n := len(c.Script.Data); {
	case n == 0 || n > mac.MaxScript || n%block != 0:
		return fmt.Errorf("%w: a script of %d bytes", mac.ErrUnsupported, n)
	case c.Mode == mac.ModeRetail && block == 8 && n > block && c.Levels == 0:
		return fmt.Errorf("%w: a token gives no left half of a card's own key, for a retail MAC", mac.ErrUnsupported)
	}
	return nil
}
