package keystore

import (
	"cmp"
	"fmt"
	"slices"
)

// A Profile says what the cards of one key set compute otherwise than others.
// It is sealed and authenticated with the keys of the set. See docs/profiles.md.
type Profile struct {
	Set      byte
	Name     string             // of the ready-made profile that it began as
	Switches [numSwitches]uint8 // the reading of each switch; 0 is the first of its list
	Ciphers  CipherTable
}

// A CipherTable says which cipher each algorithm identifier 算法标识 stands for.
// The empty table judges none: identifiers are then names and nothing more.
type CipherTable [256]Cipher

// A Switch is a question on which estates, or the sources about them, differ.
type Switch uint8

// Switches. Their readings are in the table of Switches, the usual one first.
const (
	SwitchAuthCode Switch = iota
	SwitchOverdraftTAC
	SwitchUnlockMAC1
	SwitchUnlockKey
	SwitchLockCounter
	SwitchScriptIV
	SwitchAlignedPadding
	SwitchPINReload
	SwitchBlockKey
	numSwitches
)

// Readings of the switches, besides the first of each, which is 0.
const (
	AuthCodeCompound  = 1 // in MAC1 of a compound purchase
	AuthCodePurchase  = 2 // in MAC1 of every purchase
	OverdraftDirect   = 1 // the TAC key as it is, by the MAC of secure messaging
	UnlockAmount      = 1 // the amount in place of the offline counter
	UnlockByUnload    = 1 // with the unload key
	LockCounterOne    = 1 // its right byte alone
	ScriptIVZero      = 1 // no challenge
	AlignedPaddingOne = 1 // a whole block
	PINReloadHeader   = 1 // the header before the PIN
	BlockKeyOwn       = 1 // a key each for blocking and unblocking
)

// A SwitchText is a line of the table of switches.
type SwitchText struct {
	Name     string
	Readings []string // the usual one first
	About    string
	Source   string // the section of docs/pboc.md and the row of its table 11
}

var switches = [numSwitches]SwitchText{
	SwitchAuthCode: {
		"auth-code", []string{"none", "compound", "purchase"},
		"where the authentication code of CJ/T 166 ends the input of MAC1: nowhere, in compound purchases, in all purchases",
		"5.3, row 1",
	},
	SwitchOverdraftTAC: {
		"overdraft-tac-key", []string{"folded", "direct"},
		"how the TAC key makes the TAC of an overdraft update: folded as for every TAC, or as it is, by the MAC of secure messaging",
		"5.6, row 2",
	},
	SwitchUnlockMAC1: {
		"unlock-mac1", []string{"counter", "amount"},
		"what stands behind the balance in MAC1 of an online unlock: the offline counter or the amount",
		"5.7, row 4",
	},
	SwitchUnlockKey: {
		"unlock-key", []string{"own", "unload"},
		"the key of an online unlock: one of its own, or the unload key",
		"5.7, row 7",
	},
	SwitchLockCounter: {
		"lock-counter", []string{"two", "one"},
		"how many bytes of the offline counter MAC2 of a grey lock covers",
		"5.7, row 5",
	},
	SwitchScriptIV: {
		"script-iv", []string{"challenge", "zero"},
		"what the MAC of an issuer script begins with: the card's challenge, or zeros",
		"3.2, row 8",
	},
	SwitchAlignedPadding: {
		"aligned-padding", []string{"none", "block"},
		"what is appended before encipherment to data that end on a block: nothing, or a block of padding",
		"3.3, row 9",
	},
	SwitchPINReload: {
		"pin-reload-mac", []string{"pin", "header"},
		"what the MAC of a PIN reload covers: the PIN, or the header and the PIN",
		"6, row 10",
	},
	SwitchBlockKey: {
		"block-key", []string{"maintenance", "own"},
		"the key that blocks and unblocks an application: the maintenance key, or a key for each",
		"6, row 12",
	},
}

// Switches gives the table of switches.
func Switches() []SwitchText { return slices.Clone(switches[:]) }

// String gives the name of the switch.
func (s Switch) String() string { return switches[s].Name }

// defaultProfile is what a set without a profile computes by.
var defaultProfile = Profile{Name: ProfilePlain}

// Profile gives the profile of a set. It must not be changed.
func (s *Snapshot) Profile(set byte) *Profile {
	if p := s.bySet[set]; p != nil {
		return p
	}
	return &defaultProfile
}

// Profiles gives the profiles that the snapshot has, by rising set. They must
// not be changed.
func (s *Snapshot) Profiles() []Profile { return s.profiles }

func (p *Profile) check() error {
	for i, v := range p.Switches {
		if int(v) >= len(switches[i].Readings) {
			return fmt.Errorf("%w: switch %s of set %02X", ErrAttribute, switches[i].Name, p.Set)
		}
	}
	for id, c := range p.Ciphers {
		if c != 0 && !cipherNames.has(uint8(c)) {
			return fmt.Errorf("%w: cipher of algorithm identifier %02X in set %02X", ErrAttribute, id, p.Set)
		}
	}
	if len(p.Name) == 0 || len(p.Name) > maxProfileName {
		return fmt.Errorf("%w: profile name of set %02X", ErrAttribute, p.Set)
	}
	return nil
}

const maxProfileName = 32

// admits holds the algorithm identifier of a key against its cipher.
func (p *Profile) admits(k *Key) error {
	if p.Ciphers == (CipherTable{}) || p.Ciphers[k.Algorithm] == k.Cipher {
		return nil
	}
	return fmt.Errorf("%w: %s is a %s key, which in the profile of its set is not algorithm identifier %02X",
		ErrAlgorithm, k.Ref, k.Cipher, k.Algorithm)
}

// takeProfiles checks the profiles of the header and finds them by their set.
func (s *Snapshot) takeProfiles() error {
	for i := range s.profiles {
		p := &s.profiles[i]
		if err := p.check(); err != nil {
			return err
		}
		if s.bySet[p.Set] != nil {
			return fmt.Errorf("%w: profile of set %02X", ErrDuplicate, p.Set)
		}
		s.bySet[p.Set] = p
	}
	return nil
}

func sortProfiles(profiles []Profile) []Profile {
	sorted := slices.Clone(profiles)
	slices.SortStableFunc(sorted, func(a, b Profile) int { return cmp.Compare(a.Set, b.Set) })
	return sorted
}

// SetProfile makes p the profile of its set, in place of any other. It is
// refused if a key of the set does not agree with p's ciphers.
func (s *Store) SetProfile(p Profile) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writable(); err != nil {
		return err
	}
	head := s.keys.header
	others := slices.DeleteFunc(slices.Clone(head.profiles), func(q Profile) bool { return q.Set == p.Set })
	head.profiles = sortProfiles(append(others, p))
	return s.edit(head, s.keys.rows())
}
