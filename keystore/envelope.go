package keystore

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

const stanzaMaster = "smk"

// A sealer is the recipient of every file: the SMK wraps age's file key, and
// the stanzas that unlock the SMK go along as they are.
type sealer struct {
	rand   io.Reader
	master masterKey
	wraps  []*age.Stanza
}

var _ age.Recipient = sealer{}

// Wrap makes the stanzas of the header.
func (s sealer) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	sealed, err := s.master.seal(s.rand, labelFileKey, nil, fileKey, nil)
	if err != nil {
		return nil, err
	}
	smk := &age.Stanza{
		Type: stanzaMaster,
		Args: []string{base64.RawStdEncoding.EncodeToString(sealed[:saltSize])},
		Body: sealed[saltSize:],
	}
	return append(append([]*age.Stanza(nil), s.wraps...), smk), nil
}

// seal makes the whole file.
func (s sealer) seal(payload []byte) ([]byte, error) {
	var file bytes.Buffer
	w, err := age.Encrypt(&file, s)
	if err != nil {
		return nil, fmt.Errorf("keystore: seal: %w", err)
	}
	if _, err := w.Write(payload); err != nil {
		return nil, fmt.Errorf("keystore: seal: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("keystore: seal: %w", err)
	}
	return file.Bytes(), nil
}

// An opener is the identity that opens a file: with the SMK at hand, or by a
// pass-phrase from which it first fills the SMK in.
type opener struct {
	master     masterKey
	passphrase []byte // nil: master is known

	wraps []*age.Stanza // out: the stanzas that unlock the SMK
}

var _ age.Identity = (*opener)(nil)

const fileKeySize = 16 // of age

// Unwrap finds the file key. age checks the MAC of the whole header with it.
func (o *opener) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	if o.passphrase != nil {
		s, err := only(stanzas, stanzaPassphrase)
		if err != nil {
			return nil, err
		}
		if err := unwrapMaster(s, o.passphrase, o.master); err != nil {
			return nil, err
		}
	}
	s, err := only(stanzas, stanzaMaster)
	if err != nil {
		return nil, err
	}
	if len(s.Args) != 1 {
		return nil, ErrDamaged
	}
	salt, err := base64.RawStdEncoding.Strict().DecodeString(s.Args[0])
	if err != nil {
		return nil, ErrDamaged
	}
	for _, w := range stanzas {
		if w != s {
			o.wraps = append(o.wraps, w)
		}
	}
	fileKey := make([]byte, fileKeySize)
	return fileKey, o.master.open(labelFileKey, fileKey, append(salt, s.Body...), nil)
}

// only gives the one stanza of a type. Two would be a way to make us try more
// than one answer, and none is another program's file.
func only(stanzas []*age.Stanza, kind string) (found *age.Stanza, err error) {
	for _, s := range stanzas {
		if s.Type != kind {
			continue
		}
		if found != nil {
			return nil, ErrDamaged
		}
		found = s
	}
	if found == nil {
		return nil, ErrDamaged
	}
	return found, nil
}

// open gives the payload, once all of the file has proved authentic.
func (o *opener) open(file []byte) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(file), o)
	if errors.Is(err, ErrPassphrase) {
		return nil, ErrPassphrase
	}
	if err != nil {
		return nil, ErrDamaged
	}
	payload, err := io.ReadAll(r)
	if err != nil {
		return nil, ErrDamaged
	}
	return payload, nil
}
