// Package reference is the purse arithmetic written for reading: the standard
// library's DES and gmsm's SM4, one block at a time, with a name for every
// intermediate value. It judges the fast backends and explains them; it is neither fast nor
// constant time, and the daemon does not serve from it.
//
// [PBOC]: docs/pboc.md
package reference

import (
	"context"
	"crypto/cipher"
	"crypto/des"
	"crypto/subtle"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// A Key is a two-key 3DES key, left half first.
type Key [16]byte

// Halves gives the left and the right half.
func (k Key) Halves() (left, right [8]byte) { return [8]byte(k[:8]), [8]byte(k[8:]) }

// Encrypt is 3DES-EDE with two keys on one block, E3 of [PBOC] 1.
func (k Key) Encrypt(block [8]byte) [8]byte {
	left, _ := k.Halves()
	return encrypt(must(des.NewTripleDESCipher(append(k[:], left[:]...))), block)
}

// KCV is the key check value: the leftmost 3 bytes of an encrypted block of
// zeros.
func (k Key) KCV() keystore.KCV {
	block := k.Encrypt([8]byte{})
	return keystore.KCV(block[:3])
}

// Diversify is one level of key diversification 密钥分散: the factor and its
// complement, each encrypted. See [PBOC] 2.
func (k Key) Diversify(factor mac.Factor) Key {
	left := k.Encrypt(factor)
	right := k.Encrypt(complement(factor))
	return Key(append(left[:], right[:]...))
}

// SessionKey is the session key 过程密钥 of a transaction. See [PBOC] 3.5.
func (k Key) SessionKey(data [8]byte) [8]byte { return k.Encrypt(data) }

// TACKey folds the halves of a TAC key. See [PBOC] 3.6.
func (k Key) TACKey() (folded [8]byte) {
	left, right := k.Halves()
	subtle.XORBytes(folded[:], left[:], right[:])
	return folded
}

// ChainBlocks is the CBC chain of a transaction MAC over padded data: the
// output of each block in turn. The MAC is the left half of the last. See
// [PBOC] 3.1.
func ChainBlocks(key [8]byte, padded []byte) [][8]byte {
	block := must(des.NewCipher(key[:]))
	var chain [][8]byte
	var x [8]byte
	for ; len(padded) >= 8; padded = padded[8:] {
		subtle.XORBytes(x[:], x[:], padded[:8])
		x = encrypt(block, x)
		chain = append(chain, x)
	}
	return chain
}

// Pad appends 80 and zeros up to a multiple of 8, a whole block where data is
// one already. See [PBOC] 3.1.
func Pad(data []byte) []byte {
	padded := append(append([]byte(nil), data...), 0x80)
	for len(padded)%8 != 0 {
		padded = append(padded, 0)
	}
	return padded
}

// A Trace is a chain with everything that happened on the way.
type Trace struct {
	Keys    []Key       // the issuer's key, then the key of each level; the last is the card's
	Session []byte      // the session key, where there is one: 8 bytes, or 16
	Final   []byte      // the key that MACs or enciphers: 8 bytes, or 16
	Blocks  [2][][]byte // the CBC chain of each message; of a script the first
	Out     []byte      // what ModeEncipher or ModeDecipher makes
}

// Run computes one chain from the issuer's key, which is a key of that cipher.
func Run(c keystore.Cipher, key Key, chain *mac.Chain) Trace { return Of(c).Run(key, chain) }

// Run computes one chain from the issuer's key.
func (a Arithmetic) Run(key Key, chain *mac.Chain) Trace {
	t := Trace{Keys: []Key{key}}
	for _, f := range chain.Factors[:chain.Levels] {
		key = a.Diversify(key, f)
		t.Keys = append(t.Keys, key)
	}
	switch chain.Final {
	case mac.FinalTAC:
		t.Final = a.TACKey(key)
	case mac.FinalLock:
		t.Session = a.SessionKey(key, chain.Data)
		t.Final = a.LockKey(t.Session, chain.Lock)
	case mac.FinalCard:
		t.Final = key[:]
	default:
		t.Session = a.SessionKey(key, chain.Data)
		t.Final = t.Session
	}
	switch chain.Mode {
	case mac.ModeRetail:
		t.Blocks[0] = a.retail(key, t.Final, chain)
	case mac.ModeEncipher:
		t.Out = a.Encipher(key, chain.Script.Data)
	case mac.ModeTriple:
		t.Blocks[0] = key.Triple([8]byte(chain.Script.IV[:8]), chain.Script.Data)
	case mac.ModeSingle:
		t.Blocks[0] = key.Single([8]byte(chain.Script.IV[:8]), chain.Script.Data)
	case mac.ModeDecipher:
		t.Out = a.Decipher(key, chain.Script.Data)
	default:
		for i := range chain.Message {
			m := &chain.Message[i]
			t.Blocks[i] = a.MAC(t.Final, m.Data[:8*int(m.Blocks)])
		}
	}
	return t
}

// Answer puts what the chain gave into it, where a backend puts it.
func (t *Trace) Answer(c *mac.Chain) {
	for m, blocks := range t.Blocks {
		if len(blocks) > 0 {
			c.MAC[m] = [8]byte(blocks[len(blocks)-1])
		}
	}
	if t.Out != nil {
		copy(c.Script.Data, t.Out)
	}
}

// A Backend runs chains one by one.
type Backend struct{}

var _ mac.Backend = Backend{}

// Run fills in the MACs of chains.
func (Backend) Run(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
	for i := range chains {
		if err := ctx.Err(); err != nil {
			return err
		}
		c := &chains[i]
		if keys.Key(c.Key).Home.InToken() {
			c.Err = mac.ErrElsewhere
			continue
		}
		if c.Err = Insert(keys, c); c.Err != nil {
			continue
		}
		t := Run(keys.Key(c.Key).Cipher, Key(*keys.Secret(c.Key)), c)
		t.Answer(c)
	}
	return nil
}

// Insert writes the key that is part of the data into them, if there is one.
func Insert(keys *keystore.Snapshot, c *mac.Chain) error {
	if c.Script == nil || c.Script.Insert == nil {
		return nil
	}
	h := c.Script.Insert.Key
	if keys.Key(h).Home.InToken() {
		return mac.ErrNotGivenOut
	}
	a, key := Of(keys.Key(h).Cipher), Key(*keys.Secret(h))
	for _, f := range c.Factors[:c.Levels] {
		key = a.Diversify(key, f)
	}
	copy(c.Script.Data[c.Script.Insert.At:], key[:])
	return nil
}

func complement(b [8]byte) (c [8]byte) {
	for i := range b {
		c[i] = ^b[i]
	}
	return c
}

func encrypt(c cipher.Block, in [8]byte) (out [8]byte) {
	c.Encrypt(out[:], in[:])
	return out
}

// must unwraps a cipher whose key length the type system has fixed.
func must(c cipher.Block, err error) cipher.Block {
	if err != nil {
		panic("reference: internal error: " + err.Error())
	}
	return c
}
