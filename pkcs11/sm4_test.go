//go:build cgo && !nopkcs11 && linux

package pkcs11_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"math/rand/v2"
	"testing"

	p11 "github.com/miekg/pkcs11"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/pkcs11"
	"pbochsm/pkcs11/tokentest"
)

// aesNumbers stand for a vendor's numbers of SM4: another cipher of the same
// shape, which every token has.
var aesNumbers = pkcs11.Cipher{
	KeyType: p11.CKK_AES, Derive: p11.CKM_AES_ECB_ENCRYPT_DATA, CBC: p11.CKM_AES_CBC, Length: true,
}

// sixteen computes a chain of a cipher with blocks of 16 bytes, as docs/pboc.md
// has it: both derivations encrypt 8 bytes and their complement; the key of a
// TAC is the card's own.
func sixteen(t *testing.T, key []byte, c *mac.Chain) (macs [2][8]byte, text []byte) {
	t.Helper()
	block := func(key []byte) cipher.Block {
		b, err := aes.NewCipher(key)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	derive := func(key []byte, x [8]byte) []byte {
		out := make([]byte, 16)
		for i := range x {
			out[i], out[8+i] = x[i], ^x[i]
		}
		block(key).Encrypt(out, out)
		return out
	}
	for _, f := range c.Factors[:c.Levels] {
		key = derive(key, f)
	}
	switch c.Final {
	case mac.FinalSession:
		key = derive(key, c.Data)
	case mac.FinalLock:
		key = derive(derive(key, c.Data), c.Lock)
	}
	switch c.Mode {
	case mac.ModeRetail:
		out := make([]byte, len(c.Script.Data))
		cipher.NewCBCEncrypter(block(key), c.Script.IV[:]).CryptBlocks(out, c.Script.Data)
		macs[0] = [8]byte(out[len(out)-16:])
	case mac.ModeEncipher:
		text = make([]byte, len(c.Script.Data))
		for i := 0; i < len(text); i += 16 {
			block(key).Encrypt(text[i:], c.Script.Data[i:])
		}
	}
	for i := range c.Message {
		if n := 8 * int(c.Message[i].Blocks); n > 0 {
			out := make([]byte, n)
			cipher.NewCBCEncrypter(block(key), make([]byte, 16)).CryptBlocks(out, c.Message[i].Data[:n])
			macs[i] = [8]byte(out[n-16:])
		}
	}
	return macs, text
}

// The SM4 path with the numbers of AES, against Go's own AES.
func TestSM4PathWithAES(t *testing.T) {
	tokentest.Each(t, func(t *testing.T, f tokentest.Fixture) {
		cfg := f.Config(t)
		cfg.Profile.SM4 = aesNumbers
		r := rand.New(rand.NewPCG(7, 11))
		draw := func(b []byte) {
			for i := range b {
				b[i] = byte(r.Uint32())
			}
		}
		var answers []pkcs11.Known
		var last func(flip byte) pkcs11.Known
		for levels := range uint8(keystore.MaxLevels + 1) {
			for _, mode := range []mac.Mode{mac.ModeRetail, mac.ModeEncipher} {
				key, c := make([]byte, 16), mac.Chain{Levels: levels, Final: mac.FinalCard, Mode: mode}
				c.Script = &mac.Script{Data: make([]byte, 16*(1+r.IntN(mac.MaxScript/16)))}
				draw(key)
				draw(c.Script.IV[:])
				draw(c.Script.Data)
				for i := range c.Factors {
					draw(c.Factors[i][:])
				}
				macs, text := sixteen(t, key, &c)
				answers = append(answers, pkcs11.NewKnown(keystore.CipherSM4, key, c, macs, text))
			}
			for _, final := range []mac.Final{mac.FinalLock, mac.FinalTAC, mac.FinalSession} {
				if levels == 0 && final == mac.FinalTAC {
					continue // a key that MACs as it is: see Folded
				}
				key, c := make([]byte, 16), mac.Chain{Levels: levels, Final: final}
				draw(key)
				draw(c.Data[:])
				draw(c.Lock[:])
				for i := range c.Factors {
					draw(c.Factors[i][:])
				}
				for i := range c.Message {
					c.Message[i].Blocks = 2 * uint8(1+r.IntN(2))
					draw(c.Message[i].Data[:])
				}
				macs, _ := sixteen(t, key, &c)
				answers = append(answers, pkcs11.NewKnown(keystore.CipherSM4, key, c, macs, nil))
				last = func(flip byte) pkcs11.Known {
					macs[1][7] ^= flip
					return pkcs11.NewKnown(keystore.CipherSM4, key, c, macs, nil)
				}
			}
		}
		b, err := pkcs11.ServeKnown(t.Context(), cfg, answers)
		if err != nil {
			t.Fatal(err)
		}
		if s := b.Status(); !s.GreyLock || !s.Scripts {
			t.Errorf("grey locks %v, scripts %v", s.GreyLock, s.Scripts)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		answers = append(answers, last(1))
		if b, err := pkcs11.ServeKnown(t.Context(), cfg, answers); err == nil {
			t.Error("a wrong answer passes")
			b.Close()
		}
	})
}

// The known answers are what the readable arithmetic computes.
func TestKnownAnswers(t *testing.T) {
	n := 0
	pkcs11.EachKnown(func(name string, c keystore.Cipher, key []byte, chain mac.Chain, macs [2][8]byte, text []byte) {
		trace := reference.Run(c, reference.Key(key), &chain)
		if !bytes.Equal(trace.Out, text) {
			t.Errorf("%s: %X, the reference has %X", name, text, trace.Out)
		}
		var want [2][8]byte
		for i, blocks := range trace.Blocks {
			if len(blocks) > 0 {
				want[i] = [8]byte(blocks[len(blocks)-1])
			}
		}
		if macs != want {
			t.Errorf("%s: %X, the reference has %X", name, macs, want)
		}
		n++
	})
	if n < 11 {
		t.Errorf("%d known answers", n)
	}
}
