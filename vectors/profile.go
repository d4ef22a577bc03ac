package vectors

import (
	"fmt"

	"pbochsm/keystore"
)

// A TestProfile is the profile that a key set of the module under test must
// have: what its cards compute otherwise than the profile plain.
type TestProfile struct {
	Set      string                     `json:"set"`
	Name     string                     `json:"name"`
	Switches map[string]string          `json:"switches"`
	Ciphers  map[string]keystore.Cipher `json:"ciphers"` // by algorithm identifier
}

// Profile is the profile as a store takes it.
func (p *TestProfile) Profile() (keystore.Profile, error) {
	set, err := unhex(p.Set, 1)
	if err != nil {
		return keystore.Profile{}, fmt.Errorf("set %q: %w", p.Set, err)
	}
	made := keystore.Profile{Set: set[0], Name: p.Name}
	for name, reading := range p.Switches {
		if err := made.Turn(name, reading); err != nil {
			return keystore.Profile{}, err
		}
	}
	for text, c := range p.Ciphers {
		id, err := unhex(text, 1)
		if err != nil {
			return keystore.Profile{}, fmt.Errorf("algorithm identifier %q: %w", text, err)
		}
		made.Ciphers[id[0]] = c
	}
	return made, nil
}

// Profiles gives every profile that the vectors need, each set once.
func Profiles() []keystore.Profile { return must(profilesOf(All())) }

func profilesOf(families []Family) ([]keystore.Profile, error) {
	var all []keystore.Profile
	seen := make(map[byte]keystore.Profile)
	for _, f := range families {
		for i := range f.Profiles {
			p, err := f.Profiles[i].Profile()
			if err != nil {
				return nil, fmt.Errorf("vectors: %s: %w", f.Name, err)
			}
			first, twice := seen[p.Set]
			if twice && first != p {
				return nil, fmt.Errorf("vectors: %s: set %02X has another profile than in an earlier family", f.Name, p.Set)
			}
			if !twice {
				all = append(all, p)
			}
			seen[p.Set] = p
		}
	}
	return all, nil
}

// Snapshot holds all keys and profiles that the vectors need: what a module
// under test holds. Nothing in it is secret.
func Snapshot() (*keystore.Snapshot, error) {
	return keystore.NewSnapshot(keystore.ModeTest, 0, keystore.KCV{}, Keys(), Profiles()...)
}
