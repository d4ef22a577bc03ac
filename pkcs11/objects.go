//go:build cgo && !nopkcs11 && !windows

package pkcs11

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/miekg/pkcs11"

	"pbochsm/keystore"
)

// A calls is the functions of a module on one session.
type calls struct {
	c       *pkcs11.Ctx
	s       pkcs11.SessionHandle
	profile *Profile
}

// derivation is the mechanism that encrypts data into a key. Unpin p after the
// call.
func (x calls) derivation(p *runtime.Pinner, cipher Cipher, data []byte, block int) []*pkcs11.Mechanism {
	if x.profile.Layout == LayoutInline {
		return []*pkcs11.Mechanism{pkcs11.NewMechanism(cipher.Derive, append(make([]byte, block), data...))}
	}
	p.Pin(&data[0])
	const word = unsafe.Sizeof(uintptr(0)) // of CK_ULONG and pointers on unix
	param := binary.NativeEndian.AppendUint64(nil, uint64(uintptr(unsafe.Pointer(&data[0]))))
	param = binary.NativeEndian.AppendUint64(param, uint64(len(data)))
	if word == 4 {
		param = binary.NativeEndian.AppendUint32(nil, uint32(uintptr(unsafe.Pointer(&data[0]))))
		param = binary.NativeEndian.AppendUint32(param, uint32(len(data)))
	}
	return []*pkcs11.Mechanism{pkcs11.NewMechanism(cipher.Derive, param)}
}

// checkValue gives the check value of a key that may do nothing but derive: the
// first 3 bytes of an encrypted block of zeros, derived as a secret of that
// length. No more than these bytes can come out.
func (x calls) checkValue(key pkcs11.ObjectHandle, c keystore.Cipher) (kcv keystore.KCV, err error) {
	numbers, block, err := x.profile.numbers(c)
	if err != nil {
		return kcv, err
	}
	var p runtime.Pinner
	defer p.Unpin()
	o, err := x.c.DeriveKey(x.s, x.derivation(&p, numbers, make([]byte, block), block), key, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_GENERIC_SECRET),
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, false),
		pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, false),
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, false),
		pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, true),
		pkcs11.NewAttribute(pkcs11.CKA_VALUE_LEN, len(kcv)),
	})
	if err != nil {
		return kcv, callError("C_DeriveKey", err)
	}
	values, err := x.c.GetAttributeValue(x.s, o, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil)})
	if destroyErr := x.c.DestroyObject(x.s, o); err == nil {
		err = destroyErr
	}
	if err != nil {
		return kcv, callError("C_GetAttributeValue", err)
	}
	if len(values[0].Value) != len(kcv) {
		return kcv, callError("C_GetAttributeValue", pkcs11.Error(pkcs11.CKR_FUNCTION_FAILED))
	}
	return keystore.KCV(values[0].Value), nil
}

// find gives the one secret key with this label and identifier; an empty
// identifier asks by label alone.
func (x calls) find(label string, id []byte) (pkcs11.ObjectHandle, error) {
	template := []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true),
		pkcs11.NewAttribute(pkcs11.CKA_LABEL, label),
	}
	if len(id) > 0 {
		template = append(template, pkcs11.NewAttribute(pkcs11.CKA_ID, id))
	}
	if err := x.c.FindObjectsInit(x.s, template); err != nil {
		return 0, callError("C_FindObjectsInit", err)
	}
	found, _, err := x.c.FindObjects(x.s, 2)
	if finalErr := x.c.FindObjectsFinal(x.s); err == nil {
		err = finalErr
	}
	switch {
	case err != nil:
		return 0, callError("C_FindObjects", err)
	case len(found) == 0:
		return 0, fmt.Errorf("%w: %s", errNoKey, Spec{Label: label, ID: string(id)})
	case len(found) > 1:
		return 0, fmt.Errorf("%w: %s", errTwoKeys, Spec{Label: label, ID: string(id)})
	}
	return found[0], nil
}

// copy makes a session object of a token object: some tokens read a token
// object from its file at every use. A token that does not copy serves from the
// object itself.
func (x calls) copy(key pkcs11.ObjectHandle) (pkcs11.ObjectHandle, error) {
	o, err := x.c.CopyObject(x.s, key, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_TOKEN, false)})
	if classify(err) == classRequest {
		return key, nil
	}
	return o, callError("C_CopyObject", err)
}

// create makes a session object of a key whose value everybody knows.
func (x calls) create(c keystore.Cipher, value []byte) (pkcs11.ObjectHandle, error) {
	numbers, _, err := x.profile.numbers(c)
	if err != nil {
		return 0, err
	}
	o, err := x.c.CreateObject(x.s, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, numbers.KeyType),
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, false),
		pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true),
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true),
		pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false),
		pkcs11.NewAttribute(pkcs11.CKA_DERIVE, true),
		pkcs11.NewAttribute(pkcs11.CKA_ENCRYPT, false),
		pkcs11.NewAttribute(pkcs11.CKA_VALUE, value),
	})
	return o, callError("C_CreateObject", err)
}

// wrappingKey generates the AES key of WayUnwrap.
func (x calls) wrappingKey() (pkcs11.ObjectHandle, error) {
	o, err := x.c.GenerateKey(x.s, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_KEY_GEN, nil)}, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY),
		pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, pkcs11.CKK_AES),
		pkcs11.NewAttribute(pkcs11.CKA_VALUE_LEN, 32),
		pkcs11.NewAttribute(pkcs11.CKA_TOKEN, false),
		pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true),
		pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true),
		pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false),
		pkcs11.NewAttribute(pkcs11.CKA_WRAP, true),
		pkcs11.NewAttribute(pkcs11.CKA_UNWRAP, true),
		pkcs11.NewAttribute(pkcs11.CKA_ENCRYPT, false),
		pkcs11.NewAttribute(pkcs11.CKA_DECRYPT, false),
		pkcs11.NewAttribute(pkcs11.CKA_DERIVE, false),
	})
	return o, callError("C_GenerateKey", err)
}
