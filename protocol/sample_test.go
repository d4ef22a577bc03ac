package protocol_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
)

// The key of a published ED load (blog.csdn.net/slj_win 42240855).
const publishedKey = "11223344556677888877665544332211"

// testKeys is a table with a hole at 5: a card's own load key as published, keys
// of one and two levels of every usage, and a retired one. They differ from the
// published one in their last byte.
func testKeys() []keystore.Entry {
	entry := func(index uint16, set byte, usage keystore.Usage, levels uint8, state keystore.State) keystore.Entry {
		e := keystore.Entry{Key: keystore.Key{
			Ref:   keystore.Ref{Set: set, Usage: usage, Version: 1},
			Index: index, Cipher: keystore.Cipher3DES, Levels: levels, State: state,
		}}
		raw, _ := hex.DecodeString(publishedKey)
		e.Secret = keystore.Secret(raw)
		e.Secret[15] ^= byte(index) << 1
		e.KCV = reference.Key(e.Secret).KCV()
		return e
	}
	return []keystore.Entry{
		entry(0, 1, keystore.UsageLoad, 0, keystore.StateActive),
		entry(1, 2, keystore.UsageLoad, 1, keystore.StateActive),
		entry(2, 2, keystore.UsageUnload, 1, keystore.StateActive),
		entry(3, 2, keystore.UsagePurchase, 2, keystore.StateActive),
		entry(4, 2, keystore.UsageTAC, 2, keystore.StateActive),
		entry(6, 3, keystore.UsageLoad, 0, keystore.StateRetired),

		entry(0, 2, keystore.UsageOverdraft, 1, keystore.StateActive),
		entry(0, 2, keystore.UsageUnlock, 1, keystore.StateActive),
		entry(0, 2, keystore.UsagePINUnblock, 1, keystore.StateActive),
		entry(0, 2, keystore.UsagePINReload, 1, keystore.StateActive),
		entry(0, 2, keystore.UsageMaintenance, 1, keystore.StateActive),
		entry(0, 2, keystore.UsageCardControl, 1, keystore.StateActive),
		entry(0, 2, keystore.UsageAuthenticate, 1, keystore.StateActive),
		entry(0, 2, keystore.UsageKeyControl, 1, keystore.StateActive),
	}
}

func newLive(t testing.TB) *keystore.Live {
	t.Helper()
	s, err := keystore.NewSnapshot(keystore.ModeTest, 1, keystore.KCV{0x26, 0x86, 0x04}, testKeys())
	if err != nil {
		t.Fatal(err)
	}
	return keystore.NewLive(s)
}

// publishedLoad is the body of WA for the published ED load.
const publishedLoad = "WA" + "010100" + "0" +
	"11223344" + "0000" + "00000000" + "00001000" + "01" + "001122334455" + "20111221" + "214822" + "2988AE5A"

// hsmFunc is an HSM made of a function for one operation.
type hsmFunc func(op *mac.Op)

func (f hsmFunc) Do(_ context.Context, ops []mac.Op) error {
	for i := range ops {
		f(&ops[i])
	}
	return nil
}

// spy is the reference with what the last chain would claim written down.
type spy struct {
	reference.Backend
	claimed []byte
}

func (s *spy) Run(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
	err := s.Backend.Run(ctx, keys, chains)
	s.claimed = bytes.Clone(chains[0].MAC[0][:4])
	if chains[0].Mode == mac.ModeEncipher {
		s.claimed = bytes.Clone(chains[0].Script.Data)
	}
	return err
}

// sampleOps gives one right operation of every kind.
func sampleOps(t testing.TB) []mac.Op {
	t.Helper()
	asn := mac.Factor{0x80, 0x00, 0x00, 0x01, 0x23, 0x45, 0x67, 0x89}
	bank := mac.Factor{0x10, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}
	one := mac.Card{Key: mac.KeyID{Set: 2, Version: 1}, Factors: []mac.Factor{asn}}
	two := mac.Card{Key: mac.KeyID{Set: 2, Version: 1}, Factors: []mac.Factor{bank, asn}}
	terminal := mac.TerminalID{0x10, 0x23, 0x45, 0x67, 0x89, 0xAB}
	date, clock := mac.BCDDate{0x20, 0x24, 0x02, 0x29}, mac.BCDTime{0x23, 0x59, 0x59}
	ops := []mac.Op{
		mac.Load{Card: one, Random: [4]byte{1, 2, 3, 4}, Counter: 0x1234, Balance: 5000, Amount: 100, Type: mac.TypeLoadEP, Terminal: terminal, Date: date, Time: clock}.Op(),
		mac.LoadTAC{Card: two, Balance: 5100, Counter: 0x1234, Amount: 100, Type: mac.TypeLoadEP, Terminal: terminal, Date: date, Time: clock}.Op(),
		mac.Unload{Card: one, Random: [4]byte{4, 3, 2, 1}, Counter: 0x1235, Balance: 5100, Amount: 50, Terminal: terminal, Date: date, Time: clock}.Op(),
		mac.UnloadProof{Card: one, Random: [4]byte{4, 3, 2, 1}, Counter: 0x1235, Balance: 5050, Amount: 50, Terminal: terminal, Date: date, Time: clock}.Op(),
		mac.Purchase{Card: two, Random: [4]byte{9, 8, 7, 6}, Counter: 7, Serial: 0x00010002, Amount: 30, Type: mac.TypePurchaseEP, Terminal: terminal, Date: date, Time: clock}.Op(),
		mac.PurchaseProof{Card: two, Random: [4]byte{9, 8, 7, 6}, Counter: 7, Serial: 0x00010002, Amount: 30}.Op(),
		mac.PurchaseTAC{Card: two, Amount: 30, Type: mac.TypePurchaseEP, Terminal: terminal, Serial: 0x00010002, Date: date, Time: clock}.Op(),
	}
	for _, k := range mac.Kinds()[len(ops):] {
		card := one
		if k.Usage() == keystore.UsagePurchase || k.Usage() == keystore.UsageTAC {
			card = two
		}
		ops = append(ops, filled(k, card))
	}
	backend := new(spy)
	engine := mac.NewEngine(newLive(t), backend)
	for i := range ops {
		f, ok := ops[i].Kind.Claims()
		if !ok {
			continue
		}
		asked := []mac.Op{ops[i]}
		if err := engine.Do(context.Background(), asked); err != nil {
			t.Fatal(err)
		}
		copy(f.Bytes(&ops[i]), backend.claimed[:])
	}
	return ops
}

// filled makes an operation of kind k with a value in every field.
func filled(k mac.Kind, card mac.Card) mac.Op {
	op := mac.Op{Kind: k, Key: card.Key, Levels: uint8(len(card.Factors))}
	copy(op.Factors[:], card.Factors)
	lengths := map[mac.Field]int{mac.Challenge: 8, mac.PIN: 3, mac.Content: 11, mac.Response: 8, mac.KeyHeader: 4}
	for _, f := range k.Inputs() {
		f.SetLen(&op, lengths[f])
		place := f.Bytes(&op)
		for i := range place {
			place[i] = byte(f)<<3 + byte(i)
		}
		switch f {
		case mac.Type:
			place[0] = byte(k.Types()[0])
		case mac.Date:
			copy(place, []byte{0x20, 0x24, 0x02, 0x29})
		case mac.Time:
			copy(place, []byte{0x23, 0x59, 0x59})
		case mac.Enciphered, mac.P2, mac.NewUsage, mac.NewVersion:
			place[0] = 1
		case mac.NewAlgorithm:
			place[0] = 0
		}
	}
	return op
}

// body spells an operation as a request without the length and the header.
func body(op mac.Op) string {
	codes := map[mac.Kind]string{
		mac.KindLoad: "WA", mac.KindLoadTAC: "WC", mac.KindUnload: "WE", mac.KindUnloadMAC3: "WG",
		mac.KindPurchase: "WI", mac.KindPurchaseMAC2: "WK", mac.KindPurchaseTAC: "WM",
		mac.KindOverdraft: "WO", mac.KindOverdraftTAC: "WQ",
		mac.KindLock: "XA", mac.KindLockMAC2: "XC", mac.KindLockTAC: "XE", mac.KindLockDebit: "XG",
		mac.KindUnlock: "XI", mac.KindUnlockMAC3: "XK",
		mac.KindPINUnblock: "YA", mac.KindPINReload: "YC", mac.KindAppBlock: "YE", mac.KindAppUnblock: "YG",
		mac.KindCardBlock: "YI", mac.KindUpdateBinary: "YK", mac.KindUpdateRecord: "YM",
		mac.KindExternalAuth: "YO", mac.KindInternalAuth: "YQ", mac.KindWriteKey: "YS",
		mac.KindTerminalPurchase: "WU", mac.KindTerminalLock: "XM",
	}
	s := fmt.Sprintf("%s%02X%02X%02X%d", codes[op.Kind], op.Key.Set, op.Key.Version, op.Key.Algorithm, op.Levels)
	for _, f := range op.Factors[:op.Levels] {
		s += fmt.Sprintf("%X", f[:])
	}
	for _, f := range op.Kind.Inputs() {
		if f.Counted() {
			s += fmt.Sprintf("%02X", len(f.Bytes(&op)))
		}
		s += fmt.Sprintf("%X", f.Bytes(&op))
	}
	return s
}
