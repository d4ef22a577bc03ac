//go:build cgo && !nopkcs11 && linux

package pkcs11_test

import (
	"encoding/binary"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/pkcs11"
	"pbochsm/pkcs11/tokentest"
)

// BenchmarkLoad runs loads in a token, and the same calls from a program in
// plain C on the same token, by turns. It reports the best time of each in ns
// per load, and the ratio. Every load is another card's, so nothing is cached;
// "cached" is one card's, for comparison. One caller waits for one worker,
// but for "as configured": as many workers as the profile has, and four callers.
func BenchmarkLoad(b *testing.B) {
	for _, token := range []struct {
		name string
		make func(testing.TB) tokentest.Fixture
	}{{"softhsm", tokentest.SoftHSM}, {"nss", tokentest.NSS}} {
		b.Run(token.name, func(b *testing.B) {
			f := token.make(b)
			entries := []keystore.Entry{{
				Key:    keystore.Key{Ref: keystore.Ref{Set: 1, Usage: keystore.UsageLoad}, Cipher: keystore.Cipher3DES, Levels: 1, State: keystore.StateActive},
				Secret: keystore.Secret{0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF},
			}}
			keys := install(b, f, entries)
			plain := compile(b, "plain", "testdata/plain.c")
			for _, kind := range []struct {
				name          string
				batch, loads  int
				cache, public bool
				callers       int
			}{
				{"one by one", 1, 4000, false, false, 1},
				{"batches of 64", 64, 4000, false, false, 1},
				{"batches of 64 as configured", 64, 8000, false, false, 4},
				{"public batches of 64", 64, 4000, false, true, 1},
				{"cached batches of 64", 64, 4000, true, false, 1},
			} {
				b.Run(kind.name, func(b *testing.B) {
					cfg := f.Config(b)
					cfg.Reinitialize, cfg.Profile.Public = -1, kind.public
					if kind.callers == 1 {
						cfg.Workers = 1
					}
					if cfg.Cache = -1; kind.cache {
						cfg.Cache = 16
					}
					backend := serve(b, cfg)
					for b.Loop() {
						compare(b, f, &caller{backend, keys, kind.callers, kind.batch}, plain, kind.loads, kind.cache, kind.public)
					}
				})
			}
		})
	}
}

// A caller asks a backend, from some goroutines and in batches of a size.
type caller struct {
	backend       *pkcs11.Backend
	keys          *keystore.Snapshot
	callers, size int
}

func compare(b *testing.B, f tokentest.Fixture, c *caller, plain string, loads int, cached, public bool) {
	const rounds = 7
	private := "1"
	if public {
		private = "0"
	}
	args := []string{f.Module, f.Label, tokentest.PIN, "1", strconv.Itoa(loads), private}
	if f.Reserved != "" {
		args = append(args, f.Reserved)
	}
	ours, theirs := time.Duration(1<<62), time.Duration(1<<62)
	for range rounds {
		out, err := exec.CommandContext(b.Context(), plain, args...).CombinedOutput()
		if err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		lines := strings.Split(string(out), "\n")
		ns, err := strconv.ParseFloat(lines[0], 64)
		if err != nil {
			b.Fatal(err)
		}
		theirs = min(theirs, time.Duration(ns))
		took, last := c.run(b, loads, cached)
		ours = min(ours, took/time.Duration(loads))
		if got := fmt.Sprintf("%X %X", last.MAC[0][:4], last.MAC[1][:4]); !cached && got != lines[1] {
			b.Fatalf("MACs %s, in C %s", got, lines[1])
		}
	}
	b.ReportMetric(float64(ours), "ns/load")
	b.ReportMetric(float64(theirs), "ns/load-in-C")
	b.ReportMetric(float64(ours)/float64(theirs), "ratio")
	b.ReportMetric(0, "ns/op")
}

// run computes the loads that testdata/plain.c does.
func (of *caller) run(b *testing.B, loads int, cached bool) (time.Duration, mac.Chain) {
	chains := make([]mac.Chain, loads)
	for i := range chains {
		c := &chains[i]
		c.Final, c.Levels = mac.FinalSession, 1
		binary.LittleEndian.PutUint32(c.Data[:], uint32(i))
		if !cached {
			binary.LittleEndian.PutUint32(c.Factors[0][:], uint32(i))
		}
		c.Message[0].Blocks, c.Message[1].Blocks = 2, 3
		c.Message[0].Data[0], c.Message[1].Data[0] = 1, 2
	}
	var next atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for range of.callers {
		all.Go(func() {
			for from := 0; from < loads; {
				to := int(next.Add(int64(of.size)))
				if from = to - of.size; from >= loads {
					return
				}
				if err := of.backend.Run(b.Context(), of.keys, chains[from:min(loads, to)]); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	for i := range chains {
		if chains[i].Err != nil {
			b.Fatal(chains[i].Err)
		}
	}
	return took, chains[loads-1]
}
