//go:build cgo && !nopkcs11 && !windows

package pkcs11

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/miekg/pkcs11"

	"pbochsm/keystore"
)

// Objects lists the secret keys of the token, in the token's order. It asks
// through miekg/pkcs11: crypto11 lists none as soon as there is one of a type
// that it does not know.
func (t *Token) Objects() (list []Object, err error) {
	err = t.use(func(x calls) error {
		handles, err := x.secretKeys()
		if err != nil {
			return err
		}
		for _, h := range handles {
			o, err := x.describe(h)
			if err != nil {
				return err
			}
			list = append(list, o)
		}
		return nil
	})
	return list, err
}

// secretKeys gives the handles of all secret keys that outlive a session.
func (x calls) secretKeys() (all []pkcs11.ObjectHandle, err error) {
	if err := x.c.FindObjectsInit(x.s, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true),
	}); err != nil {
		return nil, callError("C_FindObjectsInit", err)
	}
	for more := true; more && err == nil; {
		var some []pkcs11.ObjectHandle
		some, _, err = x.c.FindObjects(x.s, 64)
		all, more = append(all, some...), len(some) > 0
	}
	if finalErr := x.c.FindObjectsFinal(x.s); err == nil {
		err = finalErr
	}
	return all, callError("C_FindObjects", err)
}

func (x calls) describe(h pkcs11.ObjectHandle) (o Object, err error) {
	var label, id, keyType []byte
	for _, part := range []struct {
		attribute uint
		to        *[]byte
	}{{pkcs11.CKA_LABEL, &label}, {pkcs11.CKA_ID, &id}, {pkcs11.CKA_KEY_TYPE, &keyType}} {
		if *part.to, _, err = x.attribute(h, part.attribute); err != nil {
			return o, err
		}
	}
	o = Object{Label: string(label), ID: string(id), KeyType: number(keyType)}
	demands := masterDemands
	if isFolded(o) {
		demands = foldedDemands
	}
	o.Problems, err = x.problems(h, demands)
	return o, err
}

// isFolded tells the folded form of a card's TAC key by its names, see Folded.
func isFolded(o Object) bool {
	suffix := Folded(keystore.Home{})
	return strings.HasSuffix(o.Label, suffix.Label) && strings.HasSuffix(o.ID, suffix.ID)
}

// audit refuses a key that could do more than it is for.
func (x calls) audit(h pkcs11.ObjectHandle, c keystore.Cipher, folded bool) error {
	o, err := x.describe(h)
	if err != nil {
		return err
	}
	if folded != isFolded(o) {
		o.Problems = append(o.Problems, "its name is not that of what it is to be")
	}
	numbers, _, err := x.profile.numbers(c)
	if err != nil {
		return err
	}
	if o.KeyType != numbers.KeyType {
		o.Problems = append(o.Problems, fmt.Sprintf("its key type is %#X, not the %#X of %s", o.KeyType, numbers.KeyType, c))
	}
	if len(o.Problems) > 0 {
		return &AuditError{Label: o.Label, Problems: o.Problems}
	}
	return nil
}

func (x calls) problems(h pkcs11.ObjectHandle, demands []demand) ([]string, error) {
	var failed error
	problems := judge(demands, func(id uint) (value, known bool) {
		v, known, err := x.attribute(h, id)
		if err != nil && failed == nil {
			failed = err
		}
		return len(v) == 1 && v[0] != 0, known && len(v) == 1
	})
	return problems, failed
}

// attribute reads one attribute of an object; known is false where the token
// has no such attribute.
func (x calls) attribute(h pkcs11.ObjectHandle, id uint) (value []byte, known bool, err error) {
	values, err := x.c.GetAttributeValue(x.s, h, []*pkcs11.Attribute{pkcs11.NewAttribute(id, nil)})
	switch {
	case code(err) == pkcs11.CKR_ATTRIBUTE_TYPE_INVALID:
		return nil, false, nil
	case err != nil:
		return nil, false, callError("C_GetAttributeValue", err)
	}
	return values[0].Value, true, nil
}

// number reads a CK_ULONG.
func number(b []byte) uint {
	switch len(b) {
	case 4:
		return uint(binary.NativeEndian.Uint32(b))
	case 8:
		return uint(binary.NativeEndian.Uint64(b))
	}
	return 0
}
