//go:build !cgo || nopkcs11 || windows

package pkcs11

import (
	"context"
	"errors"
)

// ErrNotBuilt is the answer of a program without token support.
var ErrNotBuilt = errors.New("pkcs11: this program was built without PKCS#11 support: that takes cgo (CGO_ENABLED=1 and a C compiler), a unix system, and no build tag nopkcs11")

// A Token cannot be had in this build.
type Token struct{}

// Open says what is missing.
func Open(context.Context, Config) (*Token, error) { return nil, ErrNotBuilt }

// Close does nothing.
func (*Token) Close() error { return nil }
