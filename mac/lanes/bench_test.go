package lanes_test

import (
	"context"
	"crypto/cipher"
	"crypto/des"
	"crypto/subtle"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/lanes"
	"pbochsm/mac/reference"
)

// The benchmarks compare, in one run, what it costs one core to verify a TAC,
// to authorise a load and to encrypt a block: here, in each width that the
// processor has, with a batch of many cards, with one lone card, and with as
// many as a group of 64 lanes; with the reference, with crypto/des as
// carefully as it allows, and with OpenSSL's legacy DES calls. All give the
// time of their fastest batch, so that a busy machine spoils no ratio:
// "ns/card" is that time divided by the size of the batch, "xOpenSSL" how many
// times as fast as OpenSSL that is.
//
//	go test -run '^$' -bench . ./mac/lanes

const (
	batchSize = 64
	bulkSize  = 4096
)

func BenchmarkTAC(b *testing.B) {
	compare(b, "tac", mac.Chain{
		Levels: 1, Final: mac.FinalTAC,
		Message: [2]mac.Message{{Blocks: 4}},
	})
}

func BenchmarkLoad(b *testing.B) {
	compare(b, "load", mac.Chain{
		Levels: 1, Final: mac.FinalSession,
		Message: [2]mac.Message{{Blocks: 2}, {Blocks: 3}},
	})
}

func BenchmarkBlock(b *testing.B) {
	careful := newTables(keystore.Secret{})
	contenders := []contender{{"crypto-des", batchSize, careful.blocks}}
	for _, width := range lanes.Widths() {
		encrypt := lanes.Encryptor(width)
		contenders = append(contenders, contender{
			fmt.Sprintf("lanes-%d", width), width, func() error { encrypt(); return nil },
		})
	}
	contest(b, "block", contenders)
}

// compare runs the same chains everywhere; they differ in the card alone.
func compare(b *testing.B, name string, shape mac.Chain) {
	s := newSource(10)
	secrets := s.secrets(1)
	keys := snapshot(b, secrets...)
	chains := make([]mac.Chain, bulkSize)
	for i := range chains {
		chains[i] = shape
		s.fill(chains[i].Factors[0][:])
		s.fill(chains[i].Data[:])
		s.fill(chains[i].Message[0].Data[:])
		s.fill(chains[i].Message[1].Data[:])
	}
	run := func(backend mac.Backend, n int) func() error {
		return func() error { return backend.Run(context.Background(), keys, chains[:n]) }
	}
	careful := newTables(secrets[0])
	contenders := []contender{
		{"reference", batchSize, run(reference.Backend{}, batchSize)},
		{"crypto-des", batchSize, func() error { return careful.run(chains[:batchSize]) }},
	}
	for _, width := range lanes.Widths() {
		backend, err := lanes.NewWidth(width)
		if err != nil {
			b.Fatal(err)
		}
		for _, n := range []int{1, batchSize, bulkSize} {
			contenders = append(contenders, contender{fmt.Sprintf("lanes-%d/%d", width, n), n, run(backend, n)})
		}
	}
	contest(b, name, contenders)
}

// A contender does a batch of operations.
type contender struct {
	name  string
	batch int
	run   func() error
}

func contest(b *testing.B, operation string, contenders []contender) {
	yardstick, missing := openssl(operation)
	if missing != nil && os.Getenv("REQUIRE_OPENSSL") != "" {
		b.Fatal(missing)
	}
	for _, c := range contenders {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			fastest := time.Duration(1<<63 - 1)
			for b.Loop() {
				start := time.Now()
				if err := c.run(); err != nil {
					b.Fatal(err)
				}
				fastest = min(fastest, time.Since(start))
			}
			report(b, float64(fastest.Nanoseconds())/float64(c.batch), yardstick)
		})
	}
	b.Run("openssl", func(b *testing.B) {
		if missing != nil {
			b.Skipf("no ratios: %v; REQUIRE_OPENSSL=1 makes this a failure", missing)
		}
		report(b, yardstick, yardstick) // measured before, in a process of its own
	})
}

func report(b *testing.B, ns, yardstick float64) {
	b.ReportMetric(ns, "ns/card")
	if yardstick > 0 {
		b.ReportMetric(yardstick/ns, "xOpenSSL")
	}
}

// tables is crypto/des at its best: the schedule of the issuer's key is made
// once, and nothing is allocated but the schedules of new keys.
type tables struct {
	master cipher.Block
	card   [24]byte // left, right, left
	last   [8]byte
}

func newTables(s keystore.Secret) *tables {
	master, err := des.NewTripleDESCipher(append(s[:], s[:8]...))
	if err != nil {
		panic(err)
	}
	return &tables{master: master}
}

func (t *tables) run(chains []mac.Chain) error {
	for i := range chains {
		c := &chains[i]
		t.diversify(&c.Factors[0])
		if err := t.lastKey(c); err != nil {
			return err
		}
		block, err := des.NewCipher(t.last[:])
		if err != nil {
			return err
		}
		for m := range c.Message {
			x := &c.MAC[m]
			*x = [8]byte{}
			for n := range int(c.Message[m].Blocks) {
				subtle.XORBytes(x[:], x[:], c.Message[m].Data[8*n:8*n+8])
				block.Encrypt(x[:], x[:])
			}
		}
	}
	return nil
}

func (t *tables) diversify(f *mac.Factor) {
	left, right := t.card[:8], t.card[8:16]
	for i := range f {
		right[i] = ^f[i]
	}
	t.master.Encrypt(left, f[:])
	t.master.Encrypt(right, right)
	copy(t.card[16:], left)
}

func (t *tables) lastKey(c *mac.Chain) error {
	if c.Final == mac.FinalTAC {
		subtle.XORBytes(t.last[:], t.card[:8], t.card[8:16])
		return nil
	}
	session, err := des.NewTripleDESCipher(t.card[:])
	if err != nil {
		return err
	}
	session.Encrypt(t.last[:], c.Data[:])
	return nil
}

// blocks encrypts a batch of blocks with one key.
func (t *tables) blocks() error {
	block, err := des.NewCipher(t.last[:])
	if err != nil {
		return err
	}
	for range batchSize {
		block.Encrypt(t.card[:8], t.card[:8])
	}
	return nil
}

// The yardstick computes what the others compute.
func TestBenchmarkTablesAgree(t *testing.T) {
	s := newSource(11)
	secrets := s.secrets(1)
	keys := snapshot(t, secrets...)
	for range 100 {
		chains := s.batch(batchSize, 1)
		for i := range chains {
			chains[i].Levels = 1
			chains[i].Final = mac.FinalSession + mac.Final(s.IntN(2))
		}
		want := append([]mac.Chain(nil), chains...)
		agree(t, lanes.New(), keys, want)
		if err := newTables(secrets[0]).run(chains); err != nil {
			t.Fatal(err)
		}
		for i := range chains {
			if chains[i].MAC != want[i].MAC {
				t.Fatalf("MACs %x, want %x", chains[i].MAC, want[i].MAC)
			}
		}
	}
}

// openssl gives the nanoseconds that OpenSSL needs for one operation.
func openssl(operation string) (float64, error) {
	all, err := measureOpenSSL()
	if err != nil {
		return 0, err
	}
	return all[operation], nil
}

// measureOpenSSL compiles and runs testdata/openssl.c, once. Where a compiler
// or OpenSSL's headers are missing it says so.
var measureOpenSSL = sync.OnceValues(func() (map[string]float64, error) {
	dir, err := os.MkdirTemp("", "lanes")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "openssl")
	build := exec.Command("cc", "-O2", "-o", program, "testdata/openssl.c", "-lcrypto")
	if text, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("needs a C compiler and the headers of libcrypto: %w: %s", err, text)
	}
	text, err := exec.Command(program).Output()
	if err != nil {
		return nil, err
	}
	ns := make([]float64, 3)
	if _, err := fmt.Sscanf(string(text), "tac %f\nload %f\nblock %f\n", &ns[0], &ns[1], &ns[2]); err != nil {
		return nil, errors.New("testdata/openssl.c printed " + string(text))
	}
	return map[string]float64{"tac": ns[0], "load": ns[1], "block": ns[2]}, nil
})
