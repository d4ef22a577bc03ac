package keystore

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	masterSize = 32
	saltSize   = 16

	labelFileKey = "pbochsm keystore v1 file key"
	labelSecrets = "pbochsm keystore v1 secrets"
	labelCheck   = "pbochsm keystore v1 check value"
	labelAudit   = "pbochsm keystore v1 audit log"
)

// A masterKey is the storage master key (SMK): random, made with the store, and
// the same for as long as the store lives. It encrypts nothing itself; every
// use derives a key of its own.
type masterKey struct{ *vault }

// newMasterKey gives a zero key, to be filled in.
func newMasterKey() (masterKey, error) {
	v, err := newVault(masterSize)
	return masterKey{v}, err
}

// check is the check value of the SMK: three derived bytes, which say nothing
// about any other derived key.
func (m masterKey) check() (KCV, error) {
	b, err := m.derive(labelCheck, nil, len(KCV{}))
	if err != nil {
		return KCV{}, err
	}
	return KCV(b), nil
}

// seal appends to dst a random salt and the encryption of plaintext under the
// key that salt and label derive.
func (m masterKey) seal(rand io.Reader, label string, dst, plaintext, additional []byte) ([]byte, error) {
	var salt [saltSize]byte
	if _, err := io.ReadFull(rand, salt[:]); err != nil {
		return nil, fmt.Errorf("keystore: random salt: %w", err)
	}
	aead, err := m.aead(label, salt[:])
	if err != nil {
		return nil, err
	}
	return aead.Seal(append(dst, salt[:]...), onlyNonce[:], plaintext, additional), nil
}

// open reverses seal. It fills dst, which must have exactly the room.
func (m masterKey) open(label string, dst, sealed, additional []byte) error {
	if len(sealed) != saltSize+len(dst)+chacha20poly1305.Overhead {
		return ErrDamaged
	}
	aead, err := m.aead(label, sealed[:saltSize])
	if err != nil {
		return err
	}
	if _, err := aead.Open(dst[:0], onlyNonce[:], sealed[saltSize:], additional); err != nil {
		return ErrDamaged
	}
	return nil
}

func (m masterKey) aead(label string, salt []byte) (cipher.AEAD, error) {
	key, err := m.derive(label, salt, chacha20poly1305.KeySize)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	return chacha20poly1305.New(key)
}

// derive is HKDF-Expand. Its other half, Extract, is for keys that are not
// random; it would leave the SMK as it is in the buffer of a hash, on the heap.
func (m masterKey) derive(label string, salt []byte, size int) ([]byte, error) {
	b, err := hkdf.Expand(sha256.New, m.bytes(), label+string(salt), size)
	if err != nil {
		return nil, fmt.Errorf("keystore: %w", err)
	}
	return b, nil
}

// onlyNonce is right where a key encrypts one message in its life: each of
// ours is derived with a fresh salt.
var onlyNonce [chacha20poly1305.NonceSize]byte
