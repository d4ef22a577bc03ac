//go:build cgo && !nopkcs11 && !windows

package pkcs11

import "github.com/miekg/pkcs11"

// PutWith imports a key of which one attribute is as no issuer's key should be.
func (t *Token) PutWith(label, id, attribute string, on bool, value []byte) error {
	return t.use(func(x calls) error {
		template := x.masterTemplate(label, id, pkcs11.CKK_DES2, false)
		for _, d := range masterDemands {
			if d.name != attribute {
				continue
			}
			for i := range template {
				if template[i].Type == d.id {
					template[i] = pkcs11.NewAttribute(d.id, on)
				}
			}
		}
		return x.put(template, value)
	})
}
