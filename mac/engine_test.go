package mac_test

import (
	"context"
	"errors"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
)

// articleLoad is the ED load that a published walk-through prints
// (blog.csdn.net/slj_win 42240855).
func articleLoad() mac.Load {
	return mac.Load{
		Card:   mac.Card{Key: mac.KeyID{Set: 1, Version: 1}},
		Random: [4]byte{0x11, 0x22, 0x33, 0x44}, Amount: 4096, Type: mac.TypeLoadED,
		Terminal: mac.TerminalID{0x00, 0x11, 0x22, 0x33, 0x44, 0x55},
		Date:     mac.BCDDate{0x20, 0x11, 0x12, 0x21}, Time: mac.BCDTime{0x21, 0x48, 0x22},
		MAC1: mac.MAC{0x29, 0x88, 0xAE, 0x5A},
	}
}

func articleEngine(t testing.TB) *mac.Engine {
	t.Helper()
	entry := keystore.Entry{
		Key: keystore.Key{
			Ref:    keystore.Ref{Set: 1, Usage: keystore.UsageLoad, Version: 1},
			Cipher: keystore.Cipher3DES, State: keystore.StateActive,
		},
		Secret: keystore.Secret{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11},
	}
	s, err := keystore.NewSnapshot(keystore.ModeTest, 1, keystore.KCV{}, []keystore.Entry{entry})
	if err != nil {
		t.Fatal(err)
	}
	return mac.NewEngine(keystore.NewLive(s), reference.Backend{})
}

func TestAuthorizeLoad(t *testing.T) {
	hsm := articleEngine(t)
	got, err := mac.AuthorizeLoad(context.Background(), hsm, articleLoad())
	if want := (mac.MAC{0x3A, 0x84, 0x5B, 0xF0}); err != nil || got != want {
		t.Fatalf("MAC2 = %X, %v; want %X", got, err, want)
	}
}

func TestWrongMAC1RevealsNothing(t *testing.T) {
	hsm := articleEngine(t)
	for bit := range 32 {
		load := articleLoad()
		load.MAC1[bit/8] ^= 1 << (bit % 8)
		got, err := mac.AuthorizeLoad(context.Background(), hsm, load)
		if !errors.Is(err, mac.ErrMAC1) || !errors.Is(err, mac.ErrVerify) || got != (mac.MAC{}) {
			t.Fatalf("bit %d: MAC2 = %X, %v; want none and ErrMAC1", bit, got, err)
		}
	}
}
