package protocol_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"time"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/protocol"
)

// A module with one key answers a published load over TCP. Whoever asks it does
// so as if the keys were at hand.
func Example() {
	ctx := context.Background()
	keys, err := keystore.NewSnapshot(keystore.ModeTest, 1, keystore.KCV{}, testKeys())
	if err != nil {
		panic(err)
	}
	live := keystore.NewLive(keys)
	server := &protocol.Server{HSM: mac.NewEngine(live, reference.Backend{}), Keys: live, Rand: rand.Reader, Now: time.Now}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, listener) }()

	client := &protocol.Client{Addr: listener.Addr().String()}
	load := mac.Load{
		Card:   mac.Card{Key: mac.KeyID{Set: 1, Version: 1}},
		Random: [4]byte{0x11, 0x22, 0x33, 0x44}, Amount: 4096, Type: mac.TypeLoadED,
		Terminal: mac.TerminalID{0x00, 0x11, 0x22, 0x33, 0x44, 0x55},
		Date:     mac.BCDDate{0x20, 0x11, 0x12, 0x21}, Time: mac.BCDTime{0x21, 0x48, 0x22},
		MAC1: mac.MAC{0x29, 0x88, 0xAE, 0x5A},
	}
	mac2, err := mac.AuthorizeLoad(ctx, client, load)
	fmt.Printf("MAC2 %X %v\n", mac2, err)
	load.MAC1[3]++
	_, err = mac.AuthorizeLoad(ctx, client, load)
	fmt.Println(err)

	_ = client.Close()
	fmt.Println(server.Shutdown(ctx), <-served)
	// Output:
	// MAC2 3A845BF0 <nil>
	// mac: MAC1: verification failed
	// <nil> <nil>
}
