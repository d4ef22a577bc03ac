package main

import (
	"crypto/sha256"
	"fmt"
	"runtime"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/lanes"
)

// A verifier is who verifies the records of settlement files: this process,
// with the fast arithmetic on all cores, or daemons over several connections.
type verifier struct {
	hsm     mac.HSM
	workers int
	keys    string // tells one set of keys from another
	close   func()
}

func openVerifier(c *cli.Context) (*verifier, error) {
	switch {
	case c.Bool("local") == c.IsSet("addr"):
		return nil, cmdline.Hint(cmdline.Usagef("want either --addr HOST:PORT or --local"),
			"--local takes the keys of --data, or the published test keys")
	case c.Bool("local"):
		return localVerifier(c)
	}
	return remoteVerifier(c)
}

func localVerifier(c *cli.Context) (*verifier, error) {
	backend := lanes.New()
	if err := selfTest(c.Context, backend); err != nil {
		return nil, fmt.Errorf("self-test: %w", err)
	}
	live, err := localKeys(c)
	if err != nil {
		return nil, err
	}
	return &verifier{
		hsm:     mac.NewEngine(live, backend),
		workers: runtime.GOMAXPROCS(0),
		keys:    keysPrint(live),
		close:   func() {},
	}, nil
}

// remoteVerifier asks each daemon for the check value of its storage master
// key, which is all that a daemon tells of its keys.
func remoteVerifier(c *cli.Context) (*verifier, error) {
	n := c.Int("connections")
	if n < 1 || n > 1024 {
		return nil, cmdline.Usagef("%d connections are not within 1 to 1024", n)
	}
	f, keys, err := openFleet(c, n)
	if err != nil {
		return nil, err
	}
	return &verifier{hsm: f, workers: n * len(f.daemons), keys: keys, close: f.close}, nil
}

// keysPrint is a digest of all that is known of the keys besides their bytes,
// the check value of each included.
func keysPrint(live *keystore.Live) string {
	s := live.Acquire()
	defer s.Release()
	h := sha256.New()
	fmt.Fprintf(h, "%s %s\n", s.Mode(), s.Check())
	for _, k := range s.Keys() {
		fmt.Fprintf(h, "%s %s %d %s %s\n", k.Ref, k.Cipher, k.Levels, k.State, k.KCV)
	}
	return fmt.Sprintf("local %x", h.Sum(nil))
}
