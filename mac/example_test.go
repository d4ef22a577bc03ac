package mac_test

import (
	"context"
	"errors"
	"fmt"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
)

// A card asks for a load of 40.96 yuan to its deposit, with the numbers of a
// published walk-through (blog.csdn.net/slj_win 42240855). Its MAC1 is
// checked, and MAC2 goes back to it.
func ExampleAuthorizeLoad() {
	key := keystore.Entry{
		Key: keystore.Key{
			Ref:    keystore.Ref{Set: 0x01, Usage: keystore.UsageLoad, Version: 0x01, Algorithm: 0x00},
			Cipher: keystore.Cipher3DES, State: keystore.StateActive,
		},
		Secret: keystore.Secret{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11},
	}
	keys, err := keystore.NewSnapshot(keystore.ModeTest, 1, keystore.KCV{}, []keystore.Entry{key})
	if err != nil {
		fmt.Println(err)
		return
	}
	hsm := mac.NewEngine(keystore.NewLive(keys), reference.Backend{})

	load := mac.Load{
		Card:     mac.Card{Key: mac.KeyID{Set: 0x01, Version: 0x01, Algorithm: 0x00}},
		Random:   [4]byte{0x11, 0x22, 0x33, 0x44},
		Amount:   4096,
		Type:     mac.TypeLoadED,
		Terminal: mac.TerminalID{0x00, 0x11, 0x22, 0x33, 0x44, 0x55},
		Date:     mac.BCDDate{0x20, 0x11, 0x12, 0x21},
		Time:     mac.BCDTime{0x21, 0x48, 0x22},
		MAC1:     mac.MAC{0x29, 0x88, 0xAE, 0x5A},
	}
	mac2, err := mac.AuthorizeLoad(context.Background(), hsm, load)
	fmt.Printf("MAC2 %X, error %v\n", mac2, err)

	load.Amount = 1 << 20 // not what the card agreed to
	mac2, err = mac.AuthorizeLoad(context.Background(), hsm, load)
	fmt.Printf("MAC2 %X, wrong MAC1 %t\n", mac2, errors.Is(err, mac.ErrMAC1))
	// Output:
	// MAC2 3A845BF0, error <nil>
	// MAC2 00000000, wrong MAC1 true
}
