package keystore

import "slices"

// ProfilePlain is the name of the profile that a set has at first.
const ProfilePlain = "plain"

// A Scheme is a ready-made profile: what is known of one kind of estate.
type Scheme struct {
	Profile
	About string
}

// Which ciphers the algorithm identifiers stand for. See [PBOC] 8.
var (
	only3DES  = CipherTable{0x00: Cipher3DES, 0x01: Cipher3DES}
	withSM4   = CipherTable{0x00: Cipher3DES, 0x01: Cipher3DES, 0x04: CipherSM4}
	notJudged = CipherTable{}
	schemes   = []Scheme{
		{Profile{Name: ProfilePlain, Ciphers: notJudged}, "every switch at its first reading, algorithm identifiers not judged; what a set has that was given none"},
		{Profile{Name: "pboc2", Ciphers: only3DES}, "PBOC 1.0 and 2.0, as FMCOS cards and the like"},
		{Profile{Name: "cjt166", Ciphers: withSM4, Switches: [numSwitches]uint8{
			SwitchAuthCode: AuthCodeCompound, SwitchBlockKey: BlockKeyOwn,
		}}, "city cards under CJ/T 166 住建部: authentication code in compound purchases, keys of their own for blocking"},
		{Profile{Name: "jtt978", Ciphers: withSM4}, "transit cards under JT/T 978 交通部: 3DES and SM4 keys side by side"},
		{Profile{Name: "etc", Ciphers: withSM4}, "motorway toll cards ETC 高速公路: two levels, the issuer's code twice and the card's serial"},
		{Profile{Name: "fuel", Ciphers: only3DES}, "fuel cards 加油卡: grey lock, and a key of its own for the online unlock"},
	}
)

// Schemes gives the ready-made profiles.
func Schemes() []Scheme { return slices.Clone(schemes) }

// SchemeNamed gives the ready-made profile of that name for a set, and whether
// there is one.
func SchemeNamed(name string, set byte) (Profile, bool) {
	i := slices.IndexFunc(schemes, func(s Scheme) bool { return s.Name == name })
	if i < 0 {
		return Profile{}, false
	}
	p := schemes[i].Profile
	p.Set = set
	return p, true
}
