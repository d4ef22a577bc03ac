package reference

import (
	"crypto/cipher"
	"crypto/des"
	"crypto/subtle"

	"github.com/emmansun/gmsm/sm4"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// An Arithmetic is what a chain is made of in one cipher.
type Arithmetic struct {
	Block      int // size of a block in bytes
	Diversify  func(key Key, factor mac.Factor) Key
	SessionKey func(key Key, data [8]byte) []byte
	TACKey     func(key Key) []byte
	LockKey    func(session []byte, data [8]byte) []byte
	MAC        func(key, padded []byte) [][]byte                  // the output of each block
	Retail     func(key Key, iv [16]byte, padded []byte) [][]byte // the same, for secure messaging
	Encipher   func(key Key, blocks []byte) []byte
	Decipher   func(key Key, blocks []byte) []byte
}

// Of is the arithmetic of a cipher.
func Of(c keystore.Cipher) Arithmetic { return arithmetics[c] }

var arithmetics = map[keystore.Cipher]Arithmetic{
	keystore.Cipher3DES: {
		Block:      8,
		Diversify:  Key.Diversify,
		SessionKey: func(key Key, data [8]byte) []byte { s := key.SessionKey(data); return s[:] },
		TACKey:     func(key Key) []byte { t := key.TACKey(); return t[:] },
		LockKey: func(session []byte, data [8]byte) []byte {
			return ecb(must(des.NewCipher(session)).Encrypt, 8, data[:])
		},
		MAC:      func(key, padded []byte) [][]byte { return cbc(must(des.NewCipher(key)), make([]byte, 8), padded) },
		Retail:   Key.Retail,
		Encipher: func(key Key, blocks []byte) []byte { return ecb(key.tripleDES().Encrypt, 8, blocks) },
		Decipher: func(key Key, blocks []byte) []byte { return ecb(key.tripleDES().Decrypt, 8, blocks) },
	},
	keystore.CipherSM4: {
		Block:      16,
		Diversify:  func(key Key, factor mac.Factor) Key { return key.DiversifySM4(factor) },
		SessionKey: func(key Key, data [8]byte) []byte { s := key.DiversifySM4(data); return s[:] },
		TACKey:     func(key Key) []byte { return key[:] },
		LockKey:    func(session []byte, data [8]byte) []byte { s := Key(session).DiversifySM4(data); return s[:] },
		MAC:        func(key, padded []byte) [][]byte { return cbc(must(sm4.NewCipher(key)), make([]byte, 16), padded) },
		Retail: func(key Key, iv [16]byte, padded []byte) [][]byte {
			return cbc(must(sm4.NewCipher(key[:])), iv[:], padded)
		},
		Encipher: func(key Key, blocks []byte) []byte { return ecb(must(sm4.NewCipher(key[:])).Encrypt, 16, blocks) },
		Decipher: func(key Key, blocks []byte) []byte { return ecb(must(sm4.NewCipher(key[:])).Decrypt, 16, blocks) },
	},
}

// DiversifySM4 is one level of diversification, and the making of a session
// key, in SM4: one block, the data and their complement. See [PBOC] 2 and 3.5.
func (k Key) DiversifySM4(data [8]byte) (derived Key) {
	other := complement(data)
	must(sm4.NewCipher(k[:])).Encrypt(derived[:], append(data[:], other[:]...))
	return derived
}

// CheckValue is the key check value of what a chain computes with: a key of 16
// bytes, or one of 8, which is a single-DES key.
func CheckValue(c keystore.Cipher, key []byte) keystore.KCV {
	switch {
	case len(key) == 8:
		return Key(append(append([]byte(nil), key...), key...)).KCV()
	case c == keystore.CipherSM4:
		return Key(key).KCVSM4()
	}
	return Key(key).KCV()
}

// KCVSM4 is the key check value of an SM4 key.
func (k Key) KCVSM4() keystore.KCV {
	return keystore.KCV(ecb(must(sm4.NewCipher(k[:])).Encrypt, 16, make([]byte, 16))[:3])
}

// Retail is the CBC chain of ISO/IEC 9797-1 algorithm 3 over padded data: the
// output of single DES for each block, of 3DES for the last. See [PBOC] 3.2.
func (k Key) Retail(iv [16]byte, padded []byte) [][]byte {
	last := len(padded) - 8
	chain := cbc(must(des.NewCipher(k[:8])), iv[:8], padded[:last])
	before := iv[:8]
	if len(chain) > 0 {
		before = chain[len(chain)-1]
	}
	return append(chain, cbc(k.tripleDES(), before, padded[last:])...)
}

// retail is the chain of ModeRetail with whichever last key.
func (a *Arithmetic) retail(key Key, final []byte, c *mac.Chain) [][]byte {
	if len(final) == 8 {
		return cbc(must(des.NewCipher(final)), c.Script.IV[:8], c.Script.Data)
	}
	return a.Retail(key, c.Script.IV, c.Script.Data)
}

// Triple is the CBC chain of ISO/IEC 9797-1 algorithm 1 with 3DES over padded
// data.
func (k Key) Triple(iv [8]byte, padded []byte) [][]byte { return cbc(k.tripleDES(), iv[:], padded) }

// Single is the chain of algorithm 3 before its last step: single DES with the
// left half.
func (k Key) Single(iv [8]byte, padded []byte) [][]byte {
	return cbc(must(des.NewCipher(k[:8])), iv[:], padded)
}

func (k Key) tripleDES() cipher.Block {
	left, _ := k.Halves()
	return must(des.NewTripleDESCipher(append(k[:], left[:]...)))
}

// cbc is the chain over padded: the output of each block in turn.
func cbc(c cipher.Block, iv, padded []byte) (chain [][]byte) {
	x := append([]byte(nil), iv...)
	for n := c.BlockSize(); len(padded) >= n; padded = padded[n:] {
		subtle.XORBytes(x, x, padded[:n])
		c.Encrypt(x, x)
		chain = append(chain, append([]byte(nil), x...))
	}
	return chain
}

// ecb sends whole blocks of n bytes through one, each by itself.
func ecb(one func(dst, src []byte), n int, blocks []byte) []byte {
	out := make([]byte, 0, len(blocks))
	for ; len(blocks) >= n; blocks = blocks[n:] {
		x := make([]byte, n)
		one(x, blocks[:n])
		out = append(out, x...)
	}
	return out
}
