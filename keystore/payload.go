package keystore

import (
	"encoding/binary"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

// encode makes the payload of a file: attributes, then sealed secrets that
// are bound to them.
func encode(rand io.Reader, master masterKey, s *Snapshot) ([]byte, error) {
	text, err := marshalAttributes(s.header, s.keys)
	if err != nil {
		return nil, err
	}
	payload := binary.BigEndian.AppendUint32(nil, uint32(len(text)))
	payload = append(payload, text...)
	return master.seal(rand, labelSecrets, payload, s.vault.bytes(), payload)
}

// decode reads a payload. The clear secrets exist in locked memory only.
func decode(master masterKey, payload []byte) (*Snapshot, error) {
	if len(payload) < 4 || uint64(len(payload)-4) < uint64(binary.BigEndian.Uint32(payload)) {
		return nil, ErrDamaged
	}
	end := 4 + int(binary.BigEndian.Uint32(payload))
	attributes, sealed := payload[:end], payload[end:]
	head, keys, err := unmarshalAttributes(attributes[4:])
	if err != nil {
		return nil, err
	}
	if head.check, err = master.check(); err != nil {
		return nil, err
	}
	if len(sealed) != saltSize+len(keys)*secretSize+chacha20poly1305.Overhead {
		return nil, ErrDamaged
	}
	secrets, err := newVault(len(keys) * secretSize)
	if err != nil {
		return nil, err
	}
	defer secrets.destroy()
	if err := master.open(labelSecrets, secrets.bytes(), sealed, attributes); err != nil {
		return nil, err
	}
	rows := make([]row, len(keys))
	for i := range rows {
		rows[i] = row{keys[i], secrets.secret(Handle(i))}
	}
	return newSnapshot(head, rows)
}
