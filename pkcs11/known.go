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

// knownAnswers are run inside the token before it serves. The first is the load
// of a published walk-through (blog.csdn.net/slj_win 42240855), with the card's
// key at hand; the second diversifies, under the key of the published
// diversification; the last folds a TAC key under the same. mac/reference, which
// the tests hold them against, computes the others.
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
		fill(c, &chain, key, finals[chain.Final], chain.Levels)
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

// finals are those of chain.h for those of a chain.
var finals = [...]cByte{mac.FinalSession: finalSession, mac.FinalTAC: finalFold}

// proveAll runs the known answers and finds the best way to fold TAC keys that
// is not below floor. WayNone means that there is none.
func (x calls) proveAll(l *library, answers []known, floor TACWay) (TACWay, pkcs11.ObjectHandle, error) {
	for i := range answers {
		if answers[i].chain.Final == mac.FinalTAC {
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
		if answers[i].chain.Final == mac.FinalTAC {
			if err := x.prove(l, &answers[i], way, kek); err != nil {
				return 0, err
			}
		}
	}
	return kek, nil
}
