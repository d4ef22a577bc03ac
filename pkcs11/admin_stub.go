//go:build !cgo || nopkcs11 || windows

package pkcs11

import "pbochsm/keystore"

// RefusedPIN is false: there is no token to refuse one.
func RefusedPIN(error) bool { return false }

// Built says what is missing.
func Built() error { return ErrNotBuilt }

// Generate says what is missing.
func (*Token) Generate(Spec) (keystore.KCV, error) { return keystore.KCV{}, ErrNotBuilt }

// Import says what is missing.
func (*Token) Import(Spec, *keystore.Secret) (keystore.KCV, error) {
	return keystore.KCV{}, ErrNotBuilt
}

// CheckValue says what is missing.
func (*Token) CheckValue(Spec) (keystore.KCV, error) { return keystore.KCV{}, ErrNotBuilt }

// Destroy says what is missing.
func (*Token) Destroy(Spec) error { return ErrNotBuilt }

// Random says what is missing.
func (*Token) Random([]byte) error { return ErrNotBuilt }

// Diagnose says what is missing.
func (*Token) Diagnose() (Diagnosis, error) { return Diagnosis{}, ErrNotBuilt }

// Objects says what is missing.
func (*Token) Objects() ([]Object, error) { return nil, ErrNotBuilt }
