//go:build cgo && !nopkcs11 && !windows

package pkcs11

import (
	"fmt"

	"github.com/miekg/pkcs11"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// numbers gives the numbers and the block size of a cipher on this token.
func (p *Profile) numbers(c keystore.Cipher) (Cipher, int, error) {
	if c == keystore.Cipher3DES {
		return p.DES, 8, nil
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
	r.sessionType, r.sessionCBC = r.keyType, r.cbc
	r.xorKeys, r.kek, r.way = ulong(p.XORKeys), ulong(kek), byteOf(way)
	if block == 8 {
		f := sessionKeys[p.Session]
		r.sessionType, r.sessionCBC, r.sessionCopies = ulong(f.keyType), ulong(f.cbc), ulong(f.copies)
		if p.Session == SessionDES2 {
			r.sessionType, r.sessionCBC = r.keyType, r.cbc
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
	folded    bool // the companion that MACs, see FoldedLabel
}

// String gives what may be said of a key.
func (k keyID) String() string { return fmt.Sprintf("%q with identifier %X", k.label, k.id) }

// refuse says why a chain cannot run here, whatever the state of the token.
func (p *Profile) refuse(c *mac.Chain) error {
	switch {
	case c.Final != mac.FinalSession && c.Final != mac.FinalTAC:
		return fmt.Errorf("%w: a token has no final key of form %d", mac.ErrUnsupported, c.Final)
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
