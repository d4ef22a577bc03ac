//go:build !cgo || nopkcs11 || windows

package pkcs11

import (
	"context"
	"errors"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// ErrNotBuilt is the answer of a program without token support.
var ErrNotBuilt = errors.New("pkcs11: this program was built without PKCS#11 support: that takes cgo (CGO_ENABLED=1 and a C compiler), a unix system, and no build tag nopkcs11")

// A Token cannot be had in this build.
type Token struct{}

// Open says what is missing.
func Open(context.Context, Config) (*Token, error) { return nil, ErrNotBuilt }

// Close does nothing.
func (*Token) Close() error { return nil }

// A Backend cannot be had in this build.
type Backend struct{}

var _ mac.Backend = (*Backend)(nil)

// Serve says what is missing.
func Serve(context.Context, Config) (*Backend, error) { return nil, ErrNotBuilt }

// Run says what is missing.
func (*Backend) Run(context.Context, *keystore.Snapshot, []mac.Chain) error { return ErrNotBuilt }

// Check says what is missing.
func (*Backend) Check(context.Context, *keystore.Snapshot) error { return ErrNotBuilt }

// Status says what is missing.
func (*Backend) Status() Status { return Status{Problem: ErrNotBuilt.Error()} }

// Close does nothing.
func (*Backend) Close() error { return nil }
