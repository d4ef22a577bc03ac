//go:build cgo && !nopkcs11 && !windows

package pkcs11

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"

	"github.com/ThalesIgnite/crypto11"
	"github.com/miekg/pkcs11"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// RefusedPIN tells whether a token refused the PIN, or would lock with the next
// wrong one. What follows then is for a person to decide: tokens count.
func RefusedPIN(err error) bool { return classify(err) == classPIN }

// Built tells that this program reaches tokens.
func Built() error { return nil }

// Generate makes a random key inside the token, and gives its check value.
func (t *Token) Generate(s Spec) (kcv keystore.KCV, err error) {
	if s.Folded {
		return kcv, fmt.Errorf("%w: a card's own TAC key cannot be generated, only imported: its folded form would have to leave the token", mac.ErrUnsupported)
	}
	err = t.make(s, func(x calls) error { return t.generate(x, s) })
	if err != nil {
		return kcv, err
	}
	return t.finish(s, nil)
}

// generate has crypto11 make the key, or where it does not reach the module,
// the module itself.
func (t *Token) generate(x calls, s Spec) error {
	if s.Cipher != keystore.Cipher3DES || x.profile.DES != standardDES {
		return fmt.Errorf("%w: no mechanism to generate a key of cipher %s is known: import one", mac.ErrUnsupported, s.Cipher)
	}
	template := x.masterTemplate(s.Label, s.ID, pkcs11.CKK_DES2, false)
	if t.m.high == nil {
		_, err := x.c.GenerateKey(x.s, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_DES2_KEY_GEN, nil)}, template)
		return callError("C_GenerateKey", err)
	}
	set := crypto11.NewAttributeSet()
	for _, a := range template {
		set[a.Type] = a
	}
	des2 := &crypto11.SymmetricCipher{
		GenParams: []crypto11.SymmetricGenParams{{KeyType: pkcs11.CKK_DES2, GenMech: pkcs11.CKM_DES2_KEY_GEN}},
		BlockSize: 8,
	}
	return callError("C_GenerateKey", guard(func() error {
		_, err := t.m.high.GenerateSecretKeyWithAttributes(set, 0, des2)
		return err
	}))
}

// Import puts a key into the token, and gives its check value. The caller still
// owns, and should clear, the key.
//
// NOTE: on its way into the token the key passes memory of the C library's that
// is given back without being cleared.
func (t *Token) Import(s Spec, key *keystore.Secret) (kcv keystore.KCV, err error) {
	want, err := key.KCV(s.Cipher)
	if err != nil {
		return kcv, err
	}
	err = t.make(s, func(x calls) error { return x.importKey(s, key) })
	if err != nil {
		return kcv, err
	}
	return t.finish(s, &want)
}

func (x calls) importKey(s Spec, key *keystore.Secret) error {
	numbers, _, err := x.profile.numbers(s.Cipher)
	if err != nil {
		return err
	}
	if err := x.put(x.masterTemplate(s.Label, s.ID, numbers.KeyType, false), key[:]); err != nil {
		return err
	}
	if !s.Folded {
		return nil
	}
	folded := *key
	defer clear(folded[:])
	if s.Cipher == keystore.Cipher3DES {
		subtle.XORBytes(folded[:8], key[:8], key[8:])
		copy(folded[8:], folded[:8])
	}
	f := s.folded()
	return x.put(x.masterTemplate(f.Label, f.ID, numbers.KeyType, true), folded[:])
}

func (x calls) put(template []*pkcs11.Attribute, value []byte) error {
	secret := pkcs11.NewAttribute(pkcs11.CKA_VALUE, value)
	_, err := x.c.CreateObject(x.s, append(template, secret))
	return callError("C_CreateObject", err)
}

// masterTemplate states every attribute of a key, since defaults differ. One
// that encrypts is the folded form of a TAC key.
func (x calls) masterTemplate(label, id string, keyType uint, encrypts bool) []*pkcs11.Attribute {
	return []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, keyType),
		pkcs11.NewAttribute(pkcs11.CKA_LABEL, label),
		pkcs11.NewAttribute(pkcs11.CKA_ID, []byte(id)),
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true),
		pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true),
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true),
		pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false),
		pkcs11.NewAttribute(pkcs11.CKA_DERIVE, true),
		pkcs11.NewAttribute(pkcs11.CKA_ENCRYPT, encrypts),
		pkcs11.NewAttribute(pkcs11.CKA_DECRYPT, false),
		pkcs11.NewAttribute(pkcs11.CKA_WRAP, false),
		pkcs11.NewAttribute(pkcs11.CKA_UNWRAP, false),
		pkcs11.NewAttribute(pkcs11.CKA_SIGN, false),
		pkcs11.NewAttribute(pkcs11.CKA_VERIFY, false),
	}
}

// make has a key made unless its label is taken.
func (t *Token) make(s Spec, how func(calls) error) error {
	if s.Label == "" || s.ID == "" {
		return fmt.Errorf("pkcs11: a key needs a label and an identifier")
	}
	return t.use(func(x calls) error {
		for _, o := range s.objects() {
			if err := x.free(o.Label); err != nil {
				return err
			}
		}
		return how(x)
	})
}

// objects are the names of what the key consists of.
func (s *Spec) objects() []keystore.Home {
	all := []keystore.Home{{Label: s.Label, ID: s.ID}}
	if s.Folded {
		all = append(all, s.folded())
	}
	return all
}

func (s *Spec) folded() keystore.Home { return Folded(keystore.Home{Label: s.Label, ID: s.ID}) }

// free refuses a label that some key has.
func (x calls) free(label string) error {
	_, err := x.find(label, nil)
	switch {
	case errors.Is(err, errNoKey):
		return nil
	case err == nil, errors.Is(err, errTwoKeys):
		return fmt.Errorf("%w: %q", ErrLabel, label)
	}
	return err
}

// finish holds a new key against what it should be, and takes it out again if
// it is not.
func (t *Token) finish(s Spec, want *keystore.KCV) (keystore.KCV, error) {
	kcv, err := t.CheckValue(s)
	if err == nil && want != nil && kcv != *want {
		err = fmt.Errorf("%w: %s, not %s", errKCV, kcv, *want)
	}
	if err != nil {
		return keystore.KCV{}, errors.Join(err, t.Destroy(s))
	}
	return kcv, nil
}

// CheckValue audits a key and gives its check value, which is derived: the key
// needs no right to encrypt for it.
func (t *Token) CheckValue(s Spec) (kcv keystore.KCV, err error) {
	err = t.use(func(x calls) error {
		if s.Folded {
			f := s.folded()
			object, err := x.find(f.Label, []byte(f.ID))
			if err == nil {
				err = x.audit(object, s.Cipher, true)
			}
			if err != nil {
				return err
			}
		}
		object, err := x.find(s.Label, []byte(s.ID))
		if err != nil {
			return err
		}
		if err := x.audit(object, s.Cipher, false); err != nil {
			return err
		}
		kcv, err = x.checkValue(object, s.Cipher)
		return err
	})
	return kcv, err
}

// Destroy removes a key from the token, for good.
func (t *Token) Destroy(s Spec) error {
	return t.use(func(x calls) error {
		var problems []error
		for _, o := range s.objects() {
			object, err := x.find(o.Label, []byte(o.ID))
			if err == nil {
				err = callError("C_DestroyObject", x.c.DestroyObject(x.s, object))
			}
			problems = append(problems, err)
		}
		return errors.Join(problems...)
	})
}

// Random fills b from the token's generator.
func (t *Token) Random(b []byte) error {
	return t.use(func(x calls) error {
		if t.m.high == nil {
			drawn, err := x.c.GenerateRandom(x.s, len(b))
			copy(b, drawn)
			return callError("C_GenerateRandom", err)
		}
		return callError("C_GenerateRandom", guard(func() error {
			source, err := t.m.high.NewRandomReader()
			if err == nil {
				_, err = io.ReadFull(source, b)
			}
			return err
		}))
	})
}

// use runs f with the functions of the token.
func (t *Token) use(f func(calls) error) error {
	return t.do(func(c *pkcs11.Ctx, s pkcs11.SessionHandle) error { return f(calls{c, s, &t.cfg.Profile}) })
}
