//go:build cgo && !nopkcs11 && !windows

package pkcs11

import (
	"errors"
	"fmt"

	"github.com/miekg/pkcs11"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// A known is a chain under a published key whose MACs are known.
type known struct {
	name   string
	cipher keystore.Cipher
	key    []byte
	chain  mac.Chain
	macs   [2][8]byte
}

// folds tells whether the last key of a chain is folded. With SM4 the key of a TAC
// is the card's own.
func folds(c keystore.Cipher, f mac.Final) bool { return f == mac.FinalTAC && c == keystore.Cipher3DES }

// knownAnswers are run inside the token before it serves, those of the ciphers
// that the profile has. The first is the load of a published walk-through
// (blog.csdn.net/slj_win 42240855), with the card's key at hand; the second
// diversifies, under the key of the published diversification; the third folds a
// TAC key under the same; mac/reference judges both in the tests. Those of SM4
// are under the key of GB/T 32907, example 1, and were computed with the openssl
// command: enc -sm4-ecb for the keys, enc -sm4-cbc for the MACs.
var knownAnswers = []known{
	{
		name: "published load", cipher: keystore.Cipher3DES,
		key:   []byte{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11},
		chain: knownChain(0, mac.FinalSession),
		macs: [2][8]byte{
			{0x29, 0x88, 0xAE, 0x5A, 0x16, 0x5C, 0xF0, 0xC0},
			{0x3A, 0x84, 0x5B, 0xF0, 0x1F, 0x93, 0xBA, 0xB2},
		},
	},
	{
		name: "load of two levels", cipher: keystore.Cipher3DES,
		key:   []byte{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF},
		chain: knownChain(2, mac.FinalSession),
		macs: [2][8]byte{
			{0xF4, 0x73, 0xD7, 0x69, 0x61, 0x75, 0x90, 0xDE},
			{0x73, 0x15, 0x37, 0xEB, 0xDE, 0xD0, 0x4F, 0x4F},
		},
	},
	{
		name: "TAC", cipher: keystore.Cipher3DES,
		key:   []byte{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF},
		chain: knownChain(2, mac.FinalTAC),
		macs: [2][8]byte{
			{0x2C, 0x46, 0x83, 0x81, 0x0B, 0xF4, 0x89, 0x06},
			{0x3B, 0x83, 0xFE, 0x04, 0x9F, 0x1E, 0x87, 0x37},
		},
	},
	{
		name: "SM4 load of one level", cipher: cipherSM4, key: keySM4, chain: longer(knownChain(1, mac.FinalSession)),
		macs: [2][8]byte{
			{0x5B, 0x4B, 0x80, 0x75, 0x91, 0x75, 0x9E, 0x3C},
			{0x6D, 0x36, 0xE6, 0xC8, 0x70, 0x10, 0x18, 0x52},
		},
	},
	{
		name: "SM4 TAC", cipher: cipherSM4, key: keySM4, chain: longer(knownChain(1, mac.FinalTAC)),
		macs: [2][8]byte{
			{0x4E, 0x0D, 0x1B, 0x77, 0x8A, 0xCB, 0x35, 0x03},
			{0x2B, 0xD5, 0x9A, 0xC9, 0xBA, 0xD0, 0x31, 0x97},
		},
	},
}

var keySM4 = []byte{0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10}

// longer pads the second message to blocks of 16 bytes; the first is one already.
func longer(c mac.Chain) mac.Chain {
	c.Message[1].Blocks = 4
	return c
}

// fitting leaves the answers of ciphers that a profile has.
func fitting(p *Profile, answers []known) []known {
	var fit []known
	for _, k := range answers {
		if _, _, err := p.numbers(k.cipher); err == nil {
			fit = append(fit, k)
		}
	}
	return fit
}

// knownChain is the two messages of the published load: MAC1 and MAC2 of 4096
// fen (00001000) under random 11223344 and counter 0000.
func knownChain(levels uint8, final mac.Final) mac.Chain {
	c := mac.Chain{Levels: levels, Final: final, Data: [8]byte{0x11, 0x22, 0x33, 0x44, 0x00, 0x00, 0x80, 0x00}}
	c.Factors[0] = mac.Factor{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88}
	c.Factors[1] = mac.Factor{0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11}
	c.Message[0].Blocks = 2
	copy(c.Message[0].Data[:], []byte{
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x01, 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x80,
	})
	c.Message[1].Blocks = 3
	copy(c.Message[1].Data[:], []byte{
		0x00, 0x00, 0x10, 0x00, 0x01, 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x20, 0x11, 0x12, 0x21, 0x21, 0x48, 0x22, 0x80,
	})
	return c
}

var errAnswer = errors.New("pkcs11: the token computes the known answer wrongly")

// prove runs one known answer inside the token, through a session object made
// of its key.
func (x calls) prove(l *library, k *known, way TACWay, kek pkcs11.ObjectHandle) error {
	key, err := x.create(k.cipher, k.key)
	if err != nil {
		return fmt.Errorf("%s: %w", k.name, err)
	}
	r, err := x.profile.recipe(k.cipher, way, kek)
	if err == nil {
		chain, c := k.chain, new(link)
		fill(c, &chain, key, finalOf(k.cipher, chain.Final), chain.Levels)
		if err = l.run(&r, x.s, c); err == nil {
			collect(c, &chain)
			if chain.MAC != k.macs {
				err = errAnswer
			}
		}
	}
	if destroyErr := x.c.DestroyObject(x.s, key); err == nil {
		err = callError("C_DestroyObject", destroyErr)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", k.name, err)
	}
	return nil
}

// finalOf is the final of chain.h for that of a chain.
func finalOf(c keystore.Cipher, f mac.Final) cByte {
	switch {
	case f == mac.FinalSession:
		return finalSession
	case folds(c, f):
		return finalFold
	}
	return finalCard
}

// proveAll runs the known answers and finds the best way to fold TAC keys that
// is not below floor. WayNone means that there is none.
func (x calls) proveAll(l *library, answers []known, floor TACWay) (TACWay, pkcs11.ObjectHandle, error) {
	for i := range answers {
		if folds(answers[i].cipher, answers[i].chain.Final) {
			continue
		}
		if err := x.prove(l, &answers[i], WayHost, 0); err != nil {
			return WayNone, 0, err
		}
	}
	for way := WayVendor; way >= floor && way >= WayHost; way-- {
		kek, err := x.proveWay(l, answers, way)
		if err == nil {
			return way, kek, nil
		}
		if c := classify(err); c != classRequest && !errors.Is(err, errAnswer) {
			return WayNone, 0, err // a fault says nothing about what the token can do
		}
	}
	return WayNone, 0, nil
}

// proveWay tries one way to fold.
func (x calls) proveWay(l *library, answers []known, way TACWay) (kek pkcs11.ObjectHandle, err error) {
	switch {
	case way == WayVendor && x.profile.XORKeys == 0:
		return 0, fmt.Errorf("%w: profile %s names no mechanism that XORs two keys", mac.ErrUnsupported, x.profile.Name)
	case way == WayUnwrap:
		if kek, err = x.wrappingKey(); err != nil {
			return 0, err
		}
	}
	for i := range answers {
		if folds(answers[i].cipher, answers[i].chain.Final) {
			if err := x.prove(l, &answers[i], way, kek); err != nil {
				return 0, err
			}
		}
	}
	return kek, nil
}
