package vectors_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"pbochsm/keystore"
	"pbochsm/vectors"
)

// A sum is a vector on its way through openssl.
type sum struct {
	vectors.Vector
	formula formula
	key     string // the key so far
}

// TestOpenSSLAgrees recomputes every claim that is right and every MAC that is
// made, and the check values of the keys, with nothing but the openssl
// command.
func TestOpenSSLAgrees(t *testing.T) {
	o := newOpenSSL(t)
	sums := rightSums(t)
	for level := range keystore.MaxLevels {
		o.diversify(sums, level)
	}
	o.finish(sums)
	for _, s := range sums {
		if s.formula.claim != "" {
			o.check(s, s.formula.claimed, s.Fields[s.formula.claim])
		}
		if s.Answer != "" {
			o.check(s, s.formula.made, s.Answer)
		}
	}
	o.checkKCVs(vectors.Keys())
}

// rightSums lists the vectors that must succeed, with their master keys.
func rightSums(t *testing.T) []*sum {
	var sums []*sum
	for _, f := range vectors.All() {
		for _, v := range f.Vectors {
			if v.Expect != vectors.Accept && v.Expect != vectors.Made {
				continue
			}
			s := &sum{Vector: v, formula: formulas[v.Operation]}
			i := slices.IndexFunc(f.Provision, func(k vectors.TestKey) bool {
				return k.Key == v.Key && k.Usage == s.formula.usage
			})
			if i < 0 {
				t.Fatalf("%s: its family does not have its key", v.ID)
			}
			s.key = f.Provision[i].Value
			sums = append(sums, s)
		}
	}
	if len(sums) == 0 {
		t.Fatal("there is nothing to recompute")
	}
	return sums
}

type openSSL struct {
	t    *testing.T
	path string
}

func newOpenSSL(t *testing.T) openSSL {
	path, err := exec.LookPath("openssl")
	if err != nil {
		if os.Getenv("REQUIRE_OPENSSL") == "1" {
			t.Fatal(err)
		}
		t.Skip("no openssl command; REQUIRE_OPENSSL=1 makes this a failure")
	}
	return openSSL{t, path}
}

// diversify takes sums one level further, if they have one: the factor, then
// its complement, encrypted.
func (o openSSL) diversify(sums []*sum, level int) {
	blocks := make(map[string][]string)
	for _, s := range sums {
		if level < len(s.Factors) {
			blocks[s.key] = append(blocks[s.key], s.Factors[level], complement(s.Factors[level]))
		}
	}
	encrypted := o.ecb(blocks)
	for _, s := range sums {
		if level < len(s.Factors) {
			s.key = encrypted[s.key+s.Factors[level]] + encrypted[s.key+complement(s.Factors[level])]
		}
	}
}

// finish turns the cards' keys into the keys that MAC.
func (o openSSL) finish(sums []*sum) {
	blocks := make(map[string][]string)
	for _, s := range sums {
		if s.formula.session != "" {
			blocks[s.key] = append(blocks[s.key], s.formula.concat(s.formula.session, s.Vector))
		}
	}
	encrypted := o.ecb(blocks)
	for _, s := range sums {
		if s.formula.session != "" {
			s.key = encrypted[s.key+s.formula.concat(s.formula.session, s.Vector)]
		} else {
			s.key = xorHalves(s.key)
		}
	}
}

// check holds a MAC against the CBC chain over padded words. Single DES is
// spelt as two-key 3DES with equal keys, which every openssl has.
func (o openSSL) check(s *sum, words, want string) {
	data := s.formula.concat(words, s.Vector) + "80"
	for len(data)%16 != 0 {
		data += "00"
	}
	out := o.run(data, "-des-ede-cbc", "-K", s.key+s.key, "-iv", "0000000000000000")
	if got := out[len(out)-16:][:8]; got != want {
		o.t.Errorf("%s: openssl gives %s over %s, the vector has %s", s.ID, got, words, want)
	}
}

// checkKCVs holds the check value of each key against a block of zeros.
func (o openSSL) checkKCVs(keys []keystore.Entry) {
	const zeros = "0000000000000000"
	blocks := make(map[string][]string)
	for _, k := range keys {
		blocks[hex.EncodeToString(k.Secret[:])] = []string{zeros}
	}
	encrypted := o.ecb(blocks)
	for _, k := range keys {
		if got := encrypted[hex.EncodeToString(k.Secret[:])+zeros][:6]; got != k.KCV.String() {
			o.t.Errorf("%s has check value %s, openssl says %s", k.Ref, k.KCV, got)
		}
	}
}

// ecb encrypts blocks under their keys, one process for each key. The result
// is found under key and block.
func (o openSSL) ecb(blocks map[string][]string) map[string]string {
	encrypted := make(map[string]string)
	for key, in := range blocks {
		out := o.run(strings.Join(in, ""), "-des-ede", "-K", key)
		for i, block := range in {
			encrypted[key+block] = out[16*i : 16*i+16]
		}
	}
	return encrypted
}

// run encrypts whole blocks, hexadecimal in and out.
func (o openSSL) run(in string, args ...string) string {
	data, err := hex.DecodeString(in)
	if err != nil {
		o.t.Fatal(err)
	}
	cmd := exec.Command(o.path, append([]string{"enc", "-nopad"}, args...)...)
	cmd.Stdin = bytes.NewReader(data)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil || len(out) != len(data) {
		o.t.Fatalf("%q: %d bytes from %d, %v: %s", args, len(out), len(data), err, complaint.String())
	}
	return fmt.Sprintf("%X", out)
}

func complement(block string) string {
	b, _ := hex.DecodeString(block)
	for i := range b {
		b[i] = ^b[i]
	}
	return fmt.Sprintf("%X", b)
}

func xorHalves(key string) string {
	b, _ := hex.DecodeString(key)
	for i := range b[:8] {
		b[i] ^= b[i+8]
	}
	return fmt.Sprintf("%X", b[:8])
}
