package keystore_test

import (
	"crypto/rand"
	"fmt"
	"log"
	"os"

	"pbochsm/keystore"
)

// A ceremony in short: two custodians type their components, the key is
// sealed, and a daemon serves from the file.
func Example() {
	dir, err := os.MkdirTemp("", "keystore")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	store, err := keystore.Create(rand.Reader, dir, []byte("a long pass-phrase"), keystore.ModeProduction)
	if err != nil {
		log.Fatal(err)
	}
	first, _ := keystore.ParseSecret([]byte("0F1E2D3C4B5A69788796A5B4C3D2E1F0"))
	second, _ := keystore.ParseSecret([]byte("5B7D1A90E4C62F83A1B6C0D59E7F3142"))
	key, _, err := store.Import(keystore.Key{
		Ref:    keystore.Ref{Set: 1, Usage: keystore.UsageLoad, Version: 1},
		Cipher: keystore.Cipher3DES, Levels: 1, State: keystore.StateActive,
	}, []keystore.Secret{first, second})
	if err != nil {
		log.Fatal(err)
	}
	if err := store.Save(rand.Reader); err != nil {
		log.Fatal(err)
	}
	fmt.Println("sealed", key, "with check value", key.KCV)
	if err := store.Close(); err != nil {
		log.Fatal(err)
	}

	daemon, err := keystore.Open(dir, []byte("a long pass-phrase"), keystore.Options{ReadOnly: true})
	if err != nil {
		log.Fatal(err)
	}
	defer daemon.Close()
	snapshot, err := daemon.Snapshot()
	if err != nil {
		log.Fatal(err)
	}
	keys := keystore.NewLive(snapshot).Acquire()
	defer keys.Release()
	handle, err := keys.Find(key.Ref)
	fmt.Println("found", keys.Key(handle).KCV, "at epoch", keys.Epoch(), err)
	// Output:
	// sealed 01/load/01/00 with check value BD18DC
	// found BD18DC at epoch 2 <nil>
}
