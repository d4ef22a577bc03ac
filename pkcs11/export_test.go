//go:build cgo && !nopkcs11 && !windows

package pkcs11

import (
	"context"

	"github.com/miekg/pkcs11"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// A Known is a known answer.
type Known = known

// NewKnown makes a known answer.
func NewKnown(c keystore.Cipher, key []byte, chain mac.Chain, macs [2][8]byte, text []byte) Known {
	return known{name: "test", cipher: c, key: key, chain: chain, macs: macs, text: text}
}

// ServeKnown is Serve with other known answers.
func ServeKnown(ctx context.Context, cfg Config, answers []Known) (*Backend, error) {
	return serve(ctx, cfg, answers)
}

// EachKnown calls f with every known answer.
func EachKnown(f func(name string, c keystore.Cipher, key []byte, chain mac.Chain, macs [2][8]byte, text []byte)) {
	for _, k := range knownAnswers {
		f(k.name, k.cipher, k.key, k.chain, k.macs, k.text)
	}
}

// Install puts a secret key into the token, as the object of label and id. A
// ready key computes MACs; any other may do nothing but derive.
func (t *Token) Install(label, id string, keyType uint, value []byte, ready bool) error {
	return t.do(func(c *pkcs11.Ctx, s pkcs11.SessionHandle) error {
		_, err := c.CreateObject(s, []*pkcs11.Attribute{
			pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_SECRET_KEY),
			pkcs11.NewAttribute(pkcs11.CKA_KEY_TYPE, keyType),
			pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true),
			pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true),
			pkcs11.NewAttribute(pkcs11.CKA_SENSITIVE, true),
			pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, false),
			pkcs11.NewAttribute(pkcs11.CKA_DERIVE, true),
			pkcs11.NewAttribute(pkcs11.CKA_ENCRYPT, ready),
			pkcs11.NewAttribute(pkcs11.CKA_DECRYPT, false),
			pkcs11.NewAttribute(pkcs11.CKA_WRAP, false),
			pkcs11.NewAttribute(pkcs11.CKA_UNWRAP, false),
			pkcs11.NewAttribute(pkcs11.CKA_SIGN, false),
			pkcs11.NewAttribute(pkcs11.CKA_VERIFY, false),
			pkcs11.NewAttribute(pkcs11.CKA_LABEL, label),
			pkcs11.NewAttribute(pkcs11.CKA_ID, []byte(id)),
			pkcs11.NewAttribute(pkcs11.CKA_VALUE, value),
		})
		return err
	})
}
