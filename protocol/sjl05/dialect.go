package sjl05

import (
	"encoding/binary"
	"fmt"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/protocol"
)

// Settings are what the modules in the field differ in, and which key is meant
// by which number.
type Settings struct {
	// MACSize is the width of the MAC or TAC in B081 and B084 in bytes: 4, a card's,
	// or 8. 0 is DefaultMACSize.
	MACSize int
	// KeyCheck has B061 answer the key with its check value behind it.
	KeyCheck bool
	// CardFirst says that clients send the factors in the reverse order: the card's
	// first, the outermost authority's last.
	CardFirst bool
	// Padding says what becomes of data before they are MACed.
	Padding Padding
	// Keys gives the key of each key index. If there is none, an index is the
	// place in the key table.
	Keys map[uint16]keystore.Ref
}

// DefaultMACSize is that of Settings without one.
const DefaultMACSize = 4

// A Dialect reads requests and writes replies. See [SJL05].
type Dialect struct {
	settings Settings
}

var _ protocol.Dialect = (*Dialect)(nil)

// New checks s.
func New(s Settings) (*Dialect, error) {
	if s.MACSize == 0 {
		s.MACSize = DefaultMACSize
	}
	if s.MACSize != 4 && s.MACSize != 8 {
		return nil, fmt.Errorf("sjl05: a MAC of %d bytes, not 4 or 8", s.MACSize)
	}
	if s.Padding > PaddingNever {
		return nil, fmt.Errorf("sjl05: unknown padding %d", s.Padding)
	}
	return &Dialect{s}, nil
}

// headSize is the two bytes of the command and the eight that are echoed.
const (
	commandSize = 2
	headSize    = commandSize + 8
)

// Commands names the commands.
func (d *Dialect) Commands() []string {
	names := make([]string, len(commands))
	for i := range commands {
		names[i] = fmt.Sprintf("%02X%02X", class, commands[i].code)
	}
	return names
}

// Need adds up the fields, whose lengths follow from those before.
func (d *Dialect) Need(b []byte, limit int) (int, error) {
	if len(b) < headSize {
		return headSize, nil
	}
	at, ok := lookup(b)
	if !ok {
		return headSize, protocol.ErrCommand
	}
	n := headSize
	for _, f := range commands[at].fields {
		width, known := d.width(f, b[min(n, len(b)):])
		if n += width; n > limit {
			return headSize, protocol.ErrLength
		}
		if !known {
			break
		}
	}
	return n, nil
}

// Decode reads the fields of a request.
func (d *Dialect) Decode(request []byte, op *mac.Op) (command uint8, err error) {
	at, ok := lookup(request)
	if !ok {
		return 0, protocol.ErrCommand
	}
	c := &commands[at]
	op.Kind = c.kind
	r := &mac.Raw{Size: d.settings.MACSize}
	op.SetRaw(r)
	rest := request[headSize:]
	for _, f := range c.fields {
		width, _ := d.width(f, rest)
		if err := d.read(f, rest[:width], op, r); err != nil {
			return uint8(at + 1), err
		}
		rest = rest[width:]
	}
	return uint8(at + 1), nil
}

// Replies begin with one of these.
const (
	answered = 'A'
	refused  = 'E'
)

// Append writes the answer with the eight bytes of the request, or the number
// of the status that a refusal has on our own wire.
func (d *Dialect) Append(out, request []byte, op *mac.Op, err error) []byte {
	var echo [headSize - commandSize]byte
	if len(request) >= headSize {
		echo = [len(echo)]byte(request[commandSize:])
	}
	if err != nil {
		return append(append(append(out, refused), echo[:]...), byte(protocol.StatusOf(err)))
	}
	out = append(append(out, answered), echo[:]...)
	answer := op.Raw().Out
	switch op.Kind {
	case mac.KindRawEncipher, mac.KindRawDecipher:
		out = binary.BigEndian.AppendUint16(out, uint16(len(answer)))
	case mac.KindRawDerive:
		if d.settings.KeyCheck {
			return appendChecked(out, answer)
		}
	}
	return append(out, answer...)
}

// checkSize is the width of the check value of a key: three bytes, and zero.
const checkSize = 4

// appendChecked appends a key and its check value.
func appendChecked(out, key []byte) []byte {
	secret := keystore.Secret(key)
	defer clear(secret[:])
	kcv, err := secret.KCV(keystore.Cipher3DES) // fails where only FIPS ciphers are let through: zeros then
	if err != nil {
		kcv = keystore.KCV{}
	}
	return append(append(append(out, key...), kcv[:]...), make([]byte, checkSize-len(kcv))...)
}
