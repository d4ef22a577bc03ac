package vectors

import (
	"encoding/hex"
	"fmt"
	"strings"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// A TestKey is a key that a module under test must hold. Its value is
// published here, so it protects nothing.
type TestKey struct {
	Key     string          `json:"key"` // set/version/algorithm, as in "A1/01/00"
	Usage   keystore.Usage  `json:"usage"`
	Cipher  keystore.Cipher `json:"cipher"`
	Levels  uint8           `json:"levels"`
	State   keystore.State  `json:"state"`
	Value   string          `json:"value"`
	KCV     string          `json:"kcv"`
	Comment string          `json:"comment"`
}

// Keys gives every key that the vectors need, each identity once, in the
// order in which the families name them.
func Keys() []keystore.Entry { return must(provisioned(All())) }

// provisioned collects the keys of families. Two families may name the same
// key, but not two keys by the same name.
func provisioned(families []Family) ([]keystore.Entry, error) {
	var entries []keystore.Entry
	seen := make(map[keystore.Ref]keystore.Entry)
	for _, f := range families {
		for i := range f.Provision {
			e, err := f.Provision[i].Entry()
			if err != nil {
				return nil, fmt.Errorf("vectors: %s: %w", f.Name, err)
			}
			first, twice := seen[e.Ref]
			if !twice {
				seen[e.Ref] = e
				entries = append(entries, e)
				entries[len(entries)-1].Index = uint16(len(entries)) // places start at 1
			} else if first != e {
				return nil, fmt.Errorf("vectors: %s: %s is another key than in an earlier family", f.Name, e.Ref)
			}
		}
	}
	return entries, nil
}

// Entry is the key as a store takes it.
func (k *TestKey) Entry() (keystore.Entry, error) {
	id, err := parseKey(k.Key)
	if err != nil {
		return keystore.Entry{}, err
	}
	value, err := unhex(k.Value, len(keystore.Secret{}))
	if err != nil {
		return keystore.Entry{}, fmt.Errorf("value of %s: %w", k.Key, err)
	}
	kcv, err := unhex(k.KCV, len(keystore.KCV{}))
	if err != nil {
		return keystore.Entry{}, fmt.Errorf("check value of %s: %w", k.Key, err)
	}
	return keystore.Entry{
		Key: keystore.Key{
			Ref:    keystore.Ref{Set: id.Set, Usage: k.Usage, Version: id.Version, Algorithm: id.Algorithm},
			Cipher: k.Cipher, Levels: k.Levels, State: k.State, KCV: keystore.KCV(kcv),
		},
		Secret: keystore.Secret(value),
	}, nil
}

// parseKey reads what KeyID.String writes.
func parseKey(s string) (mac.KeyID, error) {
	b, err := unhex(strings.ReplaceAll(s, "/", ""), 3)
	if err != nil {
		return mac.KeyID{}, fmt.Errorf("key %q: %w", s, err)
	}
	id := mac.KeyID{Set: b[0], Version: b[1], Algorithm: b[2]}
	if id.String() != s {
		return mac.KeyID{}, fmt.Errorf("key %q is not spelt set/version/algorithm", s)
	}
	return id, nil
}

// unhex decodes exactly n bytes.
func unhex(s string, n int) ([]byte, error) {
	b, err := hex.DecodeString(s)
	if err == nil && len(b) != n {
		err = fmt.Errorf("%d bytes instead of %d", len(b), n)
	}
	return b, err
}
