package pkcs11

// FoldedLabel is the label of the second object that a TAC key without levels
// needs in a token. Such a key is one card's own, and no token folds its halves
// by itself, so whoever imports it also imports the key that MACs: left half XOR
// right half, twice, as a key of the same type and identifier with ENCRYPT and
// DERIVE, under this label. A TAC key of a cipher that does not fold (SM4) is
// imported as it is.
func FoldedLabel(label string) string { return label + "/folded" }
