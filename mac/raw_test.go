package mac_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/lanes"
	"pbochsm/mac/reference"
)

// rawKeys are keys of one value with the rights that a test asks for, at the
// places 1, 2 and so on.
func rawKeys(t *testing.T, edit ...func(*keystore.Key)) *keystore.Live {
	t.Helper()
	var entries []keystore.Entry
	for i, e := range edit {
		k := keystore.Key{
			Ref:   keystore.Ref{Set: 1, Usage: keystore.UsageLoad, Version: byte(i + 1)},
			Index: uint16(i + 1), Cipher: keystore.Cipher3DES, Levels: 1, State: keystore.StateActive, Raw: true, Export: true,
		}
		e(&k)
		entries = append(entries, keystore.Entry{Key: k, Secret: keystore.Secret(unhex("00112233445566778899AABBCCDDEEFF"))})
	}
	snapshot, err := keystore.NewSnapshot(keystore.ModeTest, 1, keystore.KCV{}, entries)
	if err != nil {
		t.Fatal(err)
	}
	return keystore.NewLive(snapshot)
}

func unhex(s string) []byte {
	var b []byte
	if _, err := fmt.Sscanf(s, "%X", &b); err != nil {
		panic(err)
	}
	return b
}

func same(*keystore.Key) {}

// rawOp asks the key at place 1 of the card 1122334455667788.
func rawOp(k mac.Kind, r mac.Raw) mac.Op {
	op := mac.Op{Kind: k, Levels: 1}
	op.Factors[0] = mac.Factor(unhex("1122334455667788"))
	if r.Index == 0 && r.Usage == 0 {
		r.ByIndex, r.Index = true, 1
	}
	op.SetRaw(&r)
	return op
}

// Every raw operation, on both backends, against the arithmetic written for
// reading.
func TestRawComputes(t *testing.T) {
	card := reference.Key(unhex("00112233445566778899AABBCCDDEEFF")).Diversify(mac.Factor(unhex("1122334455667788")))
	arithmetic := reference.Of(keystore.Cipher3DES)
	data, iv := [8]byte(unhex("5E0F93A701238000")), [8]byte(unhex("0102030405060708"))
	first := func(text []byte) []byte { // the IV comes in with the first block
		text = bytes.Clone(text)
		for i, b := range iv {
			text[i] ^= b
		}
		return text
	}
	last := func(chain [][]byte) []byte { return chain[len(chain)-1] }
	for _, n := range []int{8, 16, 32, 40, 248, 2048} {
		text := bytes.Repeat(unhex("00112233445566778899AABBCCDDEE0F"), 128)[:n]
		session := card.SessionKey(data)
		folded := card.TACKey()
		retail := last(card.Retail([16]byte(append(iv[:], iv[:]...)), text))
		bySession := last(arithmetic.MAC(session[:], first(text)))
		byTAC := last(arithmetic.MAC(folded[:], first(text)))
		enciphered := arithmetic.Encipher(card, text)
		for name, c := range map[string]struct {
			op   mac.Op
			want []byte
			err  error
		}{
			"MAC by session key":   {op: rawOp(mac.KindRawMAC, mac.Raw{Session: true, Data: data, IV: iv, Text: text}), want: bySession},
			"MAC by card key":      {op: rawOp(mac.KindRawMAC, mac.Raw{IV: iv, Text: text}), want: retail},
			"right half MAC":       {op: rawOp(mac.KindRawMACVerify, mac.Raw{Session: true, Data: data, IV: iv, Text: text, Size: 4, Claim: [8]byte(bySession)})},
			"right MAC":            {op: rawOp(mac.KindRawMACVerify, mac.Raw{IV: iv, Text: text, Size: 8, Claim: [8]byte(retail)})},
			"MAC of another key":   {op: rawOp(mac.KindRawMACVerify, mac.Raw{IV: iv, Text: text, Size: 4, Claim: [8]byte(bySession)}), err: mac.ErrMAC},
			"TAC":                  {op: rawOp(mac.KindRawTAC, mac.Raw{IV: iv, Text: text}), want: byTAC},
			"right TAC":            {op: rawOp(mac.KindRawTACVerify, mac.Raw{IV: iv, Text: text, Size: 4, Claim: [8]byte(byTAC)})},
			"TAC with a wrong end": {op: rawOp(mac.KindRawTACVerify, mac.Raw{IV: iv, Text: text, Size: 8, Claim: [8]byte(append(byTAC[:7:7], byTAC[7]^1))}), err: mac.ErrTAC},
			"derive":               {op: rawOp(mac.KindRawDerive, mac.Raw{}), want: card[:]},
			"encipher":             {op: rawOp(mac.KindRawEncipher, mac.Raw{Text: text}), want: enciphered},
			"decipher":             {op: rawOp(mac.KindRawDecipher, mac.Raw{Text: enciphered}), want: text},
			"by identity":          {op: named(rawOp(mac.KindRawEncipher, mac.Raw{Usage: keystore.UsageLoad, Text: text})), want: enciphered},
		} {
			for _, backend := range []mac.Backend{reference.Backend{}, lanes.New()} {
				ops := []mac.Op{c.op}
				if err := mac.NewEngine(rawKeys(t, same), backend).Do(t.Context(), ops); err != nil {
					t.Fatal(err)
				}
				if got := ops[0].Raw().Out; !errors.Is(ops[0].Err, c.err) || (c.err == nil) != (ops[0].Err == nil) || !bytes.Equal(got, c.want) {
					t.Errorf("%s of %d bytes on %T: %X, want %X; %v", name, n, backend, got, c.want, ops[0].Err)
				}
			}
		}
	}
}

func named(op mac.Op) mac.Op {
	op.Key = mac.KeyID{Set: 1, Version: 1}
	return op
}

func TestRawRefuses(t *testing.T) {
	keys := rawKeys(t, same,
		func(k *keystore.Key) { k.Raw, k.Export = false, false },
		func(k *keystore.Key) { k.Export = false },
		func(k *keystore.Key) { k.State = keystore.StateRetired },
		func(k *keystore.Key) { k.State = keystore.StatePending },
		func(k *keystore.Key) { k.Cipher = keystore.CipherSM4 },
		func(k *keystore.Key) { k.Levels = 0 },
		func(k *keystore.Key) { k.Usage = keystore.UsageKeyControl },
	)
	hsm := mac.NewEngine(keys, lanes.New())
	block := make([]byte, 8)
	at := func(k mac.Kind, index uint16) mac.Op {
		return rawOp(k, mac.Raw{ByIndex: true, Index: index, Text: block, Size: 4})
	}
	kinds := []mac.Kind{mac.KindRawMAC, mac.KindRawMACVerify, mac.KindRawTAC, mac.KindRawTACVerify, mac.KindRawDerive, mac.KindRawEncipher, mac.KindRawDecipher}
	for index, want := range map[uint16]error{
		2: keystore.ErrRaw, 4: keystore.ErrRetired, 5: keystore.ErrRetired, 6: keystore.ErrAlgorithm, 7: mac.ErrInvalid, 8: keystore.ErrRaw, 9: keystore.ErrIndex, 0xFFFF: keystore.ErrIndex,
	} {
		for _, k := range kinds {
			refused(t, hsm, fmt.Sprintf("%s with key %d", k, index), at(k, index), want)
		}
	}
	refused(t, hsm, "derive without export", at(mac.KindRawDerive, 3), keystore.ErrExport)
	underived := at(mac.KindRawDerive, 7)
	underived.Levels = 0
	refused(t, hsm, "the issuer's key itself", underived, mac.ErrInvalid)
	for _, n := range []int{0, 7, 9, mac.MaxRaw + 8} {
		op := at(mac.KindRawMAC, 1)
		op.Raw().Text = make([]byte, n)
		refused(t, hsm, fmt.Sprintf("%d bytes", n), op, mac.ErrInvalid)
	}
	for _, n := range []int{0, 3, 5, 9} {
		op := at(mac.KindRawMACVerify, 1)
		op.Raw().Size = n
		refused(t, hsm, fmt.Sprintf("a MAC of %d bytes", n), op, mac.ErrInvalid)
	}
	levels := at(mac.KindRawMAC, 1)
	levels.Levels = keystore.MaxLevels + 1
	refused(t, hsm, "five levels", levels, mac.ErrInvalid)
	refused(t, hsm, "nothing asked", mac.Op{Kind: mac.KindRawMAC}, mac.ErrInvalid)
}

func refused(t *testing.T, hsm mac.HSM, name string, op mac.Op, want error) {
	t.Helper()
	ops := []mac.Op{op}
	if err := hsm.Do(context.Background(), ops); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(ops[0].Err, want) {
		t.Errorf("%s: %v, want %v", name, ops[0].Err, want)
	}
	if r := ops[0].Raw(); r != nil && r.Out != nil {
		t.Errorf("%s: refused and answered", name)
	}
}

// A copy has everything of its own, so that what is done to it stays there.
func TestCloneSharesNothing(t *testing.T) {
	raw := rawOp(mac.KindRawEncipher, mac.Raw{Text: make([]byte, 8), Out: make([]byte, 8)})
	own := raw.Clone()
	own.Raw().Text[0], own.Raw().Out[0], own.Raw().Size = 1, 1, 8
	if r := raw.Raw(); r.Text[0] != 0 || r.Out[0] != 0 || r.Size != 0 {
		t.Errorf("the raw operation has become %+v", r)
	}
	generic := mac.Op{Kind: mac.KindMAC}
	generic.SetGeneric(&mac.Generic{Message: make([]byte, 8)})
	own = generic.Clone()
	own.Generic().Message[0], own.Generic().Size = 1, 8
	if g := generic.Generic(); g.Message[0] != 0 || g.Size != 0 {
		t.Errorf("the generic MAC has become %+v", g)
	}
	script := &mac.Script{Data: make([]byte, 8), Insert: &mac.Insert{At: 3}}
	copied := script.Clone()
	copied.Data[0] = 1
	if script.Data[0] != 0 || copied.Insert == nil || copied.Insert.At != 3 {
		t.Errorf("script %+v, its copy %+v", script, copied)
	}
}
