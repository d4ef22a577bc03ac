package mac_test

import (
	"context"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
)

// A recorder is a backend that keeps copies of the chains it runs.
type recorder struct{ chains []mac.Chain }

func (r *recorder) Run(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
	r.chains = append(r.chains, chains...)
	return reference.Backend{}.Run(ctx, keys, chains)
}

// A backendFunc is a backend by its Run.
type backendFunc func(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error

func (f backendFunc) Run(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
	return f(ctx, keys, chains)
}

// testKey is a key of set 01, version 01, algorithm 00, with a value of its
// own for each usage and number of levels.
func testKey(usage keystore.Usage, levels uint8) keystore.Entry {
	return keystore.Entry{
		Key: keystore.Key{
			Ref:    keystore.Ref{Set: 1, Usage: usage, Version: 1},
			Cipher: keystore.Cipher3DES, Levels: levels, State: keystore.StateActive,
		},
		Secret: keystore.Secret{0x10, 0x32, byte(usage) << 4, levels << 4, 0x54, 0x76, 0x98, 0xBA, 0xDC, 0xFE, 0x02, 0x46, 0x8A, 0xCE, 0x13, 0x57},
	}
}

// keysWithLevels gives one key to every usage.
func keysWithLevels(levels uint8) []keystore.Entry {
	var keys []keystore.Entry
	for _, u := range []keystore.Usage{
		keystore.UsageLoad, keystore.UsageUnload, keystore.UsagePurchase, keystore.UsageTAC, keystore.UsageOverdraft,
		keystore.UsageUnlock, keystore.UsagePINUnblock, keystore.UsagePINReload, keystore.UsageMaintenance,
		keystore.UsageAppBlock, keystore.UsageAppUnblock, keystore.UsageCardControl, keystore.UsageAuthenticate, keystore.UsageKeyControl,
	} {
		keys = append(keys, testKey(u, levels))
	}
	return keys
}

func newEngine(t testing.TB, backend mac.Backend, keys ...keystore.Entry) *mac.Engine {
	t.Helper()
	s, err := keystore.NewSnapshot(keystore.ModeTest, 1, keystore.KCV{}, keys)
	if err != nil {
		t.Fatal(err)
	}
	return mac.NewEngine(keystore.NewLive(s), backend)
}

// ask puts one op to hsm and gives it back with its answer.
func ask(t testing.TB, hsm mac.HSM, op mac.Op) mac.Op {
	t.Helper()
	ops := []mac.Op{op}
	if err := hsm.Do(context.Background(), ops); err != nil {
		t.Fatal(err)
	}
	return ops[0]
}

// The card of all tests below: two levels under the keys of testKey.
var someCard = mac.Card{
	Key:     mac.KeyID{Set: 1, Version: 1},
	Factors: []mac.Factor{{0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8}, {0xB1, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8}},
}

// One transaction of each kind, in which no two fields have a byte in common.
var (
	someRandom   = [4]byte{0xF0, 0xF1, 0xF2, 0xF3}
	someTerminal = mac.TerminalID{0xE0, 0xE1, 0xE2, 0xE3, 0xE4, 0xE5}
	someDate     = mac.BCDDate{0x20, 0x24, 0x02, 0x29}
	someTime     = mac.BCDTime{0x13, 0x57, 0x46}
	someMAC      = [4]byte{0xFA, 0xFB, 0xFC, 0xFD}

	someLoad = mac.Load{
		Card: someCard, Random: someRandom, Counter: 0xC0C1, Balance: 0xD0D1D2D3, Amount: 0x80818283,
		Type: mac.TypeLoadEP, Terminal: someTerminal, Date: someDate, Time: someTime, MAC1: someMAC,
	}
	someLoadTAC = mac.LoadTAC{
		Card: someCard, Balance: 0x90919293, Counter: 0xC0C1, Amount: 0x80818283,
		Type: mac.TypeLoadED, Terminal: someTerminal, Date: someDate, Time: someTime, TAC: someMAC,
	}
	someUnload = mac.Unload{
		Card: someCard, Random: someRandom, Counter: 0xC0C1, Balance: 0xD0D1D2D3, Amount: 0x80818283,
		Terminal: someTerminal, Date: someDate, Time: someTime, MAC1: someMAC,
	}
	someUnloadProof = mac.UnloadProof{
		Card: someCard, Random: someRandom, Counter: 0xC0C1, Balance: 0x90919293, Amount: 0x80818283,
		Terminal: someTerminal, Date: someDate, Time: someTime, MAC3: someMAC,
	}
	somePurchase = mac.Purchase{
		Card: someCard, Random: someRandom, Counter: 0xB0B1, Serial: 0xA0A1A2A3, Amount: 0x80818283,
		Type: mac.TypePurchaseEP, Terminal: someTerminal, Date: someDate, Time: someTime,
	}
	somePurchaseProof = mac.PurchaseProof{
		Card: someCard, Random: someRandom, Counter: 0xB0B1, Serial: 0xA0A1A2A3, Amount: 0x80818283, MAC2: someMAC,
	}
	somePurchaseTAC = mac.PurchaseTAC{
		Card: someCard, Amount: 0x80818283, Type: mac.TypeWithdraw, Terminal: someTerminal, Serial: 0xA0A1A2A3,
		Date: someDate, Time: someTime, TAC: someMAC,
	}
)

// someOps are the ops of all transactions, in the order of mac.Kinds.
func someOps() []mac.Op {
	return []mac.Op{
		someLoad.Op(), someLoadTAC.Op(), someUnload.Op(), someUnloadProof.Op(),
		somePurchase.Op(), somePurchaseProof.Op(), somePurchaseTAC.Op(),
		filled(mac.KindOverdraft), filled(mac.KindOverdraftTAC),
		filled(mac.KindLock), filled(mac.KindLockMAC2), filled(mac.KindLockTAC), filled(mac.KindLockDebit),
		filled(mac.KindUnlock), filled(mac.KindUnlockMAC3),
	}
}

// lastBlocks computes the last block of both messages of op.
func lastBlocks(t *testing.T, op mac.Op) (last [2][8]byte) {
	t.Helper()
	var chain mac.Chain
	ask(t, newEngine(t, backendFunc(func(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
		err := reference.Backend{}.Run(ctx, keys, chains)
		chain = chains[0]
		return err
	}), keysWithLevels(2)...), op)
	return chain.MAC
}
