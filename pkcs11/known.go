//go:build cgo && !nopkcs11 && !windows

package pkcs11

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/miekg/pkcs11"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// A known is a chain under a published key whose results are known.
type known struct {
	name   string
	cipher keystore.Cipher
	key    []byte
	chain  mac.Chain
	macs   [2][8]byte
	text   []byte // what ModeEncipher makes
}

// knownAnswers are run inside the token before it serves, those of the ciphers
// that the profile has. The first is the load of a published walk-through
// (blog.csdn.net/slj_win 42240855), with the card's key at hand; the second
// diversifies, under the key of the published diversification; the third folds a
// TAC key under the same, and so do a grey lock and an issuer script; mac/reference
// judges all of them in the tests. Those of SM4 are under the key of GB/T 32907,
// example 1. All but the published ones were computed with the openssl command as
// well: enc -des-ede3, -des-ede3-cbc, -sm4-ecb and -sm4-cbc.
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
		key:   keyDES,
		chain: knownChain(2, mac.FinalSession),
		macs: [2][8]byte{
			{0xF4, 0x73, 0xD7, 0x69, 0x61, 0x75, 0x90, 0xDE},
			{0x73, 0x15, 0x37, 0xEB, 0xDE, 0xD0, 0x4F, 0x4F},
		},
	},
	{
		name: "TAC", cipher: keystore.Cipher3DES,
		key:   keyDES,
		chain: knownChain(2, mac.FinalTAC),
		macs: [2][8]byte{
			{0x2C, 0x46, 0x83, 0x81, 0x0B, 0xF4, 0x89, 0x06},
			{0x3B, 0x83, 0xFE, 0x04, 0x9F, 0x1E, 0x87, 0x37},
		},
	},
	{
		name: "grey lock", cipher: keystore.Cipher3DES, key: keyDES, chain: knownChain(2, mac.FinalLock),
		macs: [2][8]byte{
			{0xD4, 0x72, 0x90, 0xF7, 0x89, 0x10, 0x14, 0xBA},
			{0x06, 0x96, 0x7C, 0xDD, 0x10, 0x7D, 0x0F, 0xC7},
		},
	},
	{
		name: "retail MAC", cipher: keystore.Cipher3DES, key: keyDES, chain: knownScript(2, 3, mac.ModeRetail),
		macs: [2][8]byte{{0x82, 0x10, 0xD2, 0xB4, 0xA9, 0x50, 0xD6, 0x9B}},
	},
	{
		name: "encipherment", cipher: keystore.Cipher3DES, key: keyDES, chain: knownScript(2, 3, mac.ModeEncipher),
		text: []byte{
			0xAB, 0x16, 0xB8, 0x09, 0x17, 0x3C, 0xBC, 0x80, 0xCA, 0x87, 0xC1, 0x1A,
			0x25, 0xCF, 0x40, 0x27, 0x93, 0x41, 0x80, 0x4D, 0xA3, 0x39, 0x87, 0xA0,
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
	{
		name: "SM4 grey lock", cipher: cipherSM4, key: keySM4, chain: longer(knownChain(1, mac.FinalLock)),
		macs: [2][8]byte{
			{0xFD, 0xAD, 0xF3, 0x25, 0x44, 0xD4, 0x6E, 0x1A},
			{0x9F, 0x4C, 0x9F, 0x6A, 0xD1, 0x6A, 0x68, 0x76},
		},
	},
	{
		name: "SM4 retail MAC", cipher: cipherSM4, key: keySM4, chain: knownScript(1, 4, mac.ModeRetail),
		macs: [2][8]byte{{0x40, 0x6D, 0x82, 0xA5, 0x34, 0x4C, 0x58, 0x6F}},
	},
	{
		name: "SM4 encipherment", cipher: cipherSM4, key: keySM4, chain: knownScript(1, 4, mac.ModeEncipher),
		text: []byte{
			0x37, 0x51, 0xF1, 0x64, 0xF1, 0x52, 0x33, 0xDF, 0x9F, 0x74, 0x29, 0x17, 0x6E, 0x65, 0xDD, 0x73,
			0x7C, 0x8B, 0xC0, 0x2D, 0xF7, 0xAB, 0x6C, 0x27, 0xFF, 0x2E, 0xA5, 0x5D, 0x1D, 0x94, 0x1C, 0x41,
		},
	},
}

var keyDES = []byte{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF}

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
	c := mac.Chain{
		Levels: levels, Final: final,
		Data: [8]byte{0x11, 0x22, 0x33, 0x44, 0x00, 0x00, 0x80, 0x00}, Lock: [8]byte{0x20, 0x11, 0x12, 0x21, 0x21, 0x48, 0x22, 0x00},
	}
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

// knownScript runs a mode over the second of these messages, in a number of blocks
// of 8 bytes, from the challenge A1B2C3D4.
func knownScript(levels, blocks uint8, mode mac.Mode) mac.Chain {
	c := knownChain(levels, mac.FinalCard)
	c.Mode, c.Script = mode, &mac.Script{IV: [16]byte{0xA1, 0xB2, 0xC3, 0xD4}, Data: slices.Clone(c.Message[1].Data[:8*blocks])}
	c.Message = [2]mac.Message{}
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
		if k.chain.Script != nil {
			chain.Script = chain.Script.Clone()
		}
		fill(c, &chain, key, finalOf(k.cipher, chain.Final), chain.Levels)
		if err = l.run(&r, x.s, c); err == nil {
			collect(c, &chain)
			if chain.MAC != k.macs || k.text != nil && !bytes.Equal(chain.Script.Data, k.text) {
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
	case f == mac.FinalLock:
		return finalLock
	case folds(c, f):
		return finalFold
	}
	return finalCard
}
