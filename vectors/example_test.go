package vectors_test

import (
	"context"
	"fmt"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/vectors"
)

// A module is given the test keys and put to the vectors. Here it is the
// engine of this repository; it could as well be a client at the far end of a
// wire.
func ExampleRun() {
	keys, err := keystore.NewSnapshot(keystore.ModeTest, 1, keystore.KCV{}, vectors.Keys())
	if err != nil {
		fmt.Println(err)
		return
	}
	hsm := mac.NewEngine(keystore.NewLive(keys), reference.Backend{})

	report, err := vectors.Run(context.Background(), hsm, vectors.Options{Families: []string{"published-load"}})
	for _, f := range report.Families {
		fmt.Printf("%s: %d vectors, %d failed\n", f.Name, f.Cases, len(f.Failures))
	}
	fmt.Println("error:", err)
	// Output:
	// published-load: 6 vectors, 0 failed
	// error: <nil>
}
