package keystore

import (
	"crypto/des"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/emmansun/gmsm/sm4"
)

// ErrDigits is the answer to a key or component that is not typed as one. It
// does not quote what was typed.
var ErrDigits = errors.New("keystore: a key or component is 32 hexadecimal digits")

// A Secret is the 16 bytes of a key. It cannot be printed: every fmt verb
// writes a placeholder and JSON refuses it.
//
// NOTE: fmt does not ask an unexported field how it wants to be printed. A
// struct that has a Secret, or a pointer to one, in such a field must not be
// printed itself.
type Secret [16]byte

// ParseSecret reads 32 hexadecimal digits. The caller still owns, and should
// clear, the digits.
func ParseSecret(digits []byte) (Secret, error) {
	var s Secret
	if len(digits) != hex.EncodedLen(len(s)) {
		return Secret{}, ErrDigits
	}
	if _, err := hex.Decode(s[:], digits); err != nil {
		return Secret{}, ErrDigits
	}
	return s, nil
}

// Format writes a placeholder whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("<secret>")) }

// MarshalJSON refuses: a secret leaves the program only inside a sealed file.
func (Secret) MarshalJSON() ([]byte, error) {
	return nil, errors.New("keystore: a secret has no JSON form")
}

// KCV gives the key check value of s as a key of cipher c.
func (s *Secret) KCV(c Cipher) (KCV, error) {
	switch c {
	case Cipher3DES:
	case CipherSM4:
		return s.kcvSM4()
	default:
		return KCV{}, fmt.Errorf("%w: no check value for cipher %s", ErrAlgorithm, c)
	}
	var key [24]byte
	defer clear(key[:])
	copy(key[:], s[:])
	copy(key[16:], s[:8])
	block, err := des.NewTripleDESCipher(key[:])
	if err != nil {
		return KCV{}, fmt.Errorf("keystore: check value: %w", err) // where only FIPS ciphers are let through
	}
	var zeros [8]byte
	block.Encrypt(zeros[:], zeros[:])
	return KCV(zeros[:3]), nil
}

func (s *Secret) kcvSM4() (KCV, error) {
	block, err := sm4.NewCipher(s[:])
	if err != nil {
		return KCV{}, fmt.Errorf("keystore: check value: %w", err)
	}
	var zeros [16]byte
	block.Encrypt(zeros[:], zeros[:])
	return KCV(zeros[:3]), nil
}

// A KCV is a key check value 校验值: the leftmost 3 bytes of the encryption of a
// block of zeros.
type KCV [3]byte

// String gives six upper-case hexadecimal digits.
func (k KCV) String() string { return fmt.Sprintf("%X", k[:]) }

// MarshalText is String.
func (k KCV) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads six hexadecimal digits.
func (k *KCV) UnmarshalText(b []byte) error { return unhex(k[:], b) }

// unhex fills dst from exactly as many digits as it has room for.
func unhex(dst, digits []byte) error {
	if len(digits) != hex.EncodedLen(len(dst)) {
		return fmt.Errorf("%d hexadecimal digits expected", hex.EncodedLen(len(dst)))
	}
	_, err := hex.Decode(dst, digits)
	return err
}
