package keystore

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Versions of the payload. A store has the lowest one that can say what it has,
// so that a program of the time before token keys reads all that it could serve.
const (
	format      = 1
	formatHomes = 2 // some key lives in a token
	formatRaw   = 3 // some key is raw, or the mode is migration
)

func formatFor(m Mode, keys []Key) int {
	needed := format
	if m == ModeMigration {
		needed = formatRaw
	}
	for i := range keys {
		switch k := &keys[i]; {
		case k.Raw:
			return formatRaw
		case k.Home.InToken():
			needed = max(needed, formatHomes)
		}
	}
	return needed
}

// attributes is the JSON part of a file.
type attributes struct {
	Format int      `json:"format"`
	Mode   Mode     `json:"mode"`
	Epoch  uint64   `json:"epoch"`
	Next   uint16   `json:"next"`
	Keys   []record `json:"keys"`

	Profiles []profileRecord `json:"profiles,omitempty"`
}

// A record is a Key in the file.
type record struct {
	Set       hexByte `json:"set"`
	Usage     Usage   `json:"usage"`
	Version   hexByte `json:"version"`
	Algorithm hexByte `json:"algorithm"`
	Index     uint16  `json:"index"`
	Cipher    Cipher  `json:"cipher"`
	Levels    uint8   `json:"levels"`
	State     State   `json:"state"`
	KCV       KCV     `json:"kcv"`

	Home *homeRecord `json:"home,omitempty"`

	Raw    bool `json:"raw,omitempty"`
	Export bool `json:"export,omitempty"`
}

// A hexByte is written as the two digits that the standard prints.
type hexByte byte

// MarshalText gives two upper-case hexadecimal digits.
func (b hexByte) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%02X", byte(b)), nil }

// UnmarshalText reads two hexadecimal digits.
func (b *hexByte) UnmarshalText(text []byte) error {
	var v [1]byte
	err := unhex(v[:], text)
	*b = hexByte(v[0])
	return err
}

func marshalAttributes(head header, keys []Key) ([]byte, error) {
	a := attributes{
		Format: formatFor(head.mode, keys), Mode: head.mode, Epoch: head.epoch, Next: head.next,
		Keys: make([]record, len(keys)), Profiles: profileRecords(head.profiles),
	}
	for i, k := range keys {
		a.Keys[i] = record{
			hexByte(k.Set), k.Usage, hexByte(k.Version), hexByte(k.Algorithm),
			k.Index, k.Cipher, k.Levels, k.State, k.KCV, k.Home.record(), k.Raw, k.Export,
		}
	}
	return json.Marshal(a)
}

// unmarshalAttributes accepts the text that marshalAttributes makes and no
// other: encoding/json alone would let pass a member that is there twice, one
// spelt in other letter case, or a null. newSnapshot judges the values.
func unmarshalAttributes(text []byte) (header, []Key, error) {
	var a attributes
	if err := json.Unmarshal(text, &a); err != nil {
		return header{}, nil, fmt.Errorf("%w: attributes: %w", ErrDamaged, err)
	}
	if a.Format < format || a.Format > formatRaw {
		return header{}, nil, fmt.Errorf("%w: %d", ErrFormat, a.Format)
	}
	if a.Epoch == 0 || a.Next == 0 || a.Next > maxIndex+1 {
		return header{}, nil, fmt.Errorf("%w: epoch %d, next index %d", ErrDamaged, a.Epoch, a.Next)
	}
	profiles, err := readProfiles(a.Profiles)
	if err != nil {
		return header{}, nil, err
	}
	head := header{mode: a.Mode, epoch: a.Epoch, next: a.Next, profiles: profiles}
	keys := make([]Key, len(a.Keys))
	last := uint16(0)
	for i, r := range a.Keys {
		if r.Index <= last || r.Index >= a.Next {
			return header{}, nil, fmt.Errorf("%w: index %d out of order", ErrDamaged, r.Index)
		}
		last = r.Index
		home, err := r.Home.home()
		if err != nil {
			return header{}, nil, err
		}
		keys[i] = Key{
			Ref:   Ref{byte(r.Set), r.Usage, byte(r.Version), byte(r.Algorithm)},
			Index: r.Index, Cipher: r.Cipher, Levels: r.Levels, State: r.State, KCV: r.KCV,
			Home: home, Raw: r.Raw, Export: r.Export,
		}
	}
	if again, err := marshalAttributes(head, keys); err != nil || !bytes.Equal(again, text) {
		return header{}, nil, fmt.Errorf("%w: attributes in another form than ours", ErrDamaged)
	}
	return head, keys, nil
}
