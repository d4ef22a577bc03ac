// Package explain shows a purse operation from the issuer's key to the last
// block: every factor, every derived key, what the session key is made from,
// the padded blocks, the chain, the MACs. And where a MAC is not what it should
// be, it looks for the mistake: it computes the operation as somebody does who
// has made one, and names the mistake whose MAC fits.
//
// It computes with the recipes of package mac and the arithmetic of
// mac/reference, over altered inputs; it has no cryptography of its own.
//
// # What it shows of keys
//
// Keys of a test store are shown as they are. Of any other key there is its
// check value and no more: no byte of a key, none of a session key, no value of
// a chain, and no MAC but one that the Engine makes for the same request. A
// chain value is as good as the key: its inputs are the caller's, so it would
// encipher whatever one likes.
//
// [PBOC]: docs/pboc.md
package explain
