package pkcs11

import "pbochsm/keystore"

// Folded names the second object that a TAC key without levels needs in a
// token. Such a key is one card's own, and no token folds its halves by itself,
// so whoever imports it also imports the key that MACs: left half XOR right
// half, twice, as a key of the same type with ENCRYPT and DERIVE, under this
// label and identifier. A TAC key of a cipher that does not fold (SM4) is
// imported twice in the same way, as it is.
//
// The identifier must differ, too: NSS takes two keys with one identifier for
// one key.
func Folded(home keystore.Home) keystore.Home {
	home.Label += "/folded"
	home.ID += "/folded"
	return home
}

// NeedsFolded tells whether a key needs the companion that Folded names: it is a
// card's own, and its halves are folded, as for a TAC or for setting a PIN anew.
func NeedsFolded(k *keystore.Key) bool {
	return k.Levels == 0 && (k.Usage == keystore.UsageTAC || k.Usage == keystore.UsagePINReload)
}
