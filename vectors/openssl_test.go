package vectors_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"

	"pbochsm/keystore"
	"pbochsm/vectors"
)

// A sum is a vector on its way through openssl.
type sum struct {
	vectors.Vector
	formula formula
	key     string // the key so far
	sm4     bool
	written *sum // the key that is written into the card
}

// TestOpenSSLAgrees recomputes every claim that is right, every MAC and every
// command that is made, and the check values of the keys, with nothing but the
// openssl command.
func TestOpenSSLAgrees(t *testing.T) {
	o := newOpenSSL(t)
	sums := rightSums(t)
	cards := sums
	for _, s := range sums {
		if s.written != nil {
			cards = append(cards, s.written)
		}
	}
	for level := range keystore.MaxLevels {
		o.diversify(cards, level)
	}
	o.scripts(sums)
	o.generics(sums)
	o.finish(sums)
	for _, s := range sums {
		if s.formula.claim != "" && s.formula.claimed != "" {
			o.check(s, s.formula.claimed, s.Fields[s.formula.claim])
		}
		if s.Answer != "" && s.formula.made != "" {
			o.check(s, s.formula.made, s.Answer)
		}
	}
	o.checkKCVs(vectors.Keys())
}

var everySum = flag.Bool("vectors.openssl", false, "recompute every vector with openssl, not one in four")

// rightSums lists the vectors that must succeed, with their master keys: of
// each family the first five and one in four of the others, for every MAC takes
// a process or two.
func rightSums(t *testing.T) []*sum {
	var sums []*sum
	for _, f := range vectors.All() {
		right := 0
		for _, v := range f.Vectors {
			if v.Expect != vectors.Accept && v.Expect != vectors.Made {
				continue
			}
			right++
			if right > 5 && right%4 != 0 && !*everySum {
				continue
			}
			s := &sum{Vector: v, formula: formulaOf(v)}
			s.provide(t, f, v.Key, s.formula.usage)
			if number, writes := v.Fields["new-usage"]; writes {
				usage, _ := strconv.ParseUint(number, 16, 8)
				s.written = &sum{Vector: v}
				s.written.provide(t, f, v.Key[:3]+v.Fields["new-version"]+"/"+v.Fields["new-algorithm"], keystore.Usage(usage))
			}
			sums = append(sums, s)
		}
	}
	if len(sums) == 0 {
		t.Fatal("there is nothing to recompute")
	}
	return sums
}

// provide gives s the key of that name and usage.
func (s *sum) provide(t *testing.T, f vectors.Family, key string, usage keystore.Usage) {
	i := slices.IndexFunc(f.Provision, func(k vectors.TestKey) bool { return k.Key == key && k.Usage == usage })
	if i < 0 {
		t.Fatalf("%s: its family does not have the %s key %s", s.ID, usage, key)
	}
	s.key, s.sm4 = f.Provision[i].Value, f.Provision[i].Cipher == keystore.CipherSM4
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

// A job is a block to be enciphered under a key, by itself.
type job struct {
	sm4        bool
	key, block string
}

// derived is the job that makes a key of 8 bytes: with SM4 of them and their
// complement.
func (s *sum) derived(data string) job {
	if s.sm4 {
		data += complement(data)
	}
	return job{s.sm4, s.key, data}
}

// diversify takes sums one level further, if they have one: the factor, then
// its complement, encrypted.
func (o openSSL) diversify(sums []*sum, level int) {
	o.eachKey(sums, func(s *sum) []job {
		if level >= len(s.Factors) {
			return nil
		}
		if s.sm4 {
			return []job{s.derived(s.Factors[level])}
		}
		return []job{s.derived(s.Factors[level]), s.derived(complement(s.Factors[level]))}
	})
}

// finish turns the cards' keys into the keys that MAC.
func (o openSSL) finish(sums []*sum) {
	o.eachKey(sums, func(s *sum) []job {
		if s.formula.session == "" {
			return nil
		}
		return []job{s.derived(s.formula.concat(s.formula.session, s.Vector))}
	})
	o.eachKey(sums, func(s *sum) []job {
		if s.formula.lock == "" {
			return nil
		}
		j := s.derived(s.formula.concat(s.formula.lock, s.Vector))
		if !s.sm4 { // single DES: three times the same half
			j.key += j.key
		}
		return []job{j}
	})
	for _, s := range sums {
		if s.formula.session == "" && !s.formula.direct && s.formula.script == nil && !s.formula.generic && !s.sm4 {
			s.key = xorHalves(s.key)
		}
	}
}

// eachKey makes the keys of sums the results of their jobs, where they have any.
func (o openSSL) eachKey(sums []*sum, jobs func(*sum) []job) {
	var all []job
	for _, s := range sums {
		all = append(all, jobs(s)...)
	}
	done := o.ecb(all)
	for _, s := range sums {
		made := ""
		for _, j := range jobs(s) {
			made += done[j]
		}
		if made != "" {
			s.key = made
		}
	}
}

// check holds a MAC against the CBC chain over padded words.
func (o openSSL) check(s *sum, words, want string) {
	data := s.formula.concat(words, s.Vector)
	got := ""
	if s.formula.direct {
		got = o.retail(s, "", data)
	} else {
		got = o.mac(s.sm4, s.key, "", data)
	}
	if got != want {
		o.t.Errorf("%s: openssl gives %s over %s, the vector has %s", s.ID, got, words, want)
	}
}

// padded appends 80 and zeros.
func (s *sum) padded(data string) string { return padTo(data+"80", s.blockDigits()) }

func (s *sum) blockDigits() int {
	if s.sm4 {
		return 32
	}
	return 16
}

func padTo(data string, digits int) string {
	for len(data)%digits != 0 || data == "" {
		data += "00"
	}
	return data
}

// mac is the left half, or quarter, of the last block of a CBC chain. Single
// DES is spelt as two-key 3DES with equal keys, which every openssl has.
func (o openSSL) mac(sm4 bool, key, iv, data string) string {
	if sm4 {
		out := o.run(padTo(data+"80", 32), "-sm4-cbc", "-K", key, "-iv", padTo(iv, 32))
		return out[len(out)-32:][:8]
	}
	out := o.run(padTo(data+"80", 16), "-des-ede-cbc", "-K", key+key, "-iv", padTo(iv, 16))
	return out[len(out)-16:][:8]
}

// retail is the MAC of secure messaging: in 3DES, single DES with the left half
// up to the last block, and both halves there.
func (o openSSL) retail(s *sum, iv, data string) string {
	if s.sm4 {
		return o.mac(true, s.key, iv, data)
	}
	data, iv = s.padded(data), padTo(iv, 16)
	if n := len(data) - 16; n > 0 {
		left := s.key[:16]
		out := o.run(data[:n], "-des-ede-cbc", "-K", left+left, "-iv", iv)
		iv, data = out[n-16:], data[n:]
	}
	return o.run(data, "-des-ede-cbc", "-K", s.key, "-iv", iv)[:8]
}

// scripts recomputes the commands, from the cards' keys.
func (o openSSL) scripts(sums []*sum) {
	for _, s := range sums {
		if s.formula.script == nil {
			continue
		}
		got, want := o.command(s), s.Answer
		if s.formula.claim != "" {
			want = s.Fields[s.formula.claim]
		}
		if got != want {
			o.t.Errorf("%s: openssl makes %s, the vector has %s", s.ID, got, want)
		}
	}
}

func (o openSSL) command(s *sum) string {
	c := s.formula.script
	header, body := s.formula.concat(c.header, s.Vector), s.formula.concat(c.body, s.Vector)
	if s.written != nil {
		body += s.written.key
	}
	whole := func(body string) string { return fmt.Sprintf("%s%02X%s", header, len(body)/2+4, body) }
	switch c.kind {
	case "response":
		body = o.encipher(s, padTo(body, 16))
		if s.formula.claim != "" {
			return body
		}
		if len(body) == 32 {
			body = xorHalves(body)
		}
		return fmt.Sprintf("%s%02X%s", header, len(body)/2, body)
	case "reload", "reload with header":
		key, data := s.key, body
		if !s.sm4 {
			key = xorHalves(key)
		}
		if c.kind != "reload" {
			data = whole(body)
		}
		return whole(body) + o.mac(s.sm4, key, "", data)
	}
	if c.enciphered == "yes" || s.Fields["enciphered"] == "01" {
		body = fmt.Sprintf("%02X%s", len(body)/2, body)
		if c.padAligned || len(body)%s.blockDigits() != 0 {
			body = s.padded(body)
		}
		body = o.encipher(s, body)
	}
	return whole(body) + o.retail(s, s.Fields["challenge"], whole(body))
}

func (o openSSL) encipher(s *sum, blocks string) string {
	if s.sm4 {
		return o.run(blocks, "-sm4-ecb", "-K", s.key)
	}
	return o.run(blocks, "-des-ede", "-K", s.key)
}

// checkKCVs holds the check value of each key against a block of zeros.
func (o openSSL) checkKCVs(keys []keystore.Entry) {
	zeros := func(k keystore.Entry) job {
		s := sum{key: fmt.Sprintf("%X", [16]byte(k.Secret)), sm4: k.Cipher == keystore.CipherSM4}
		return job{s.sm4, s.key, padTo("", s.blockDigits())}
	}
	var all []job
	for _, k := range keys {
		all = append(all, zeros(k))
	}
	done := o.ecb(all)
	for _, k := range keys {
		if got := done[zeros(k)][:6]; got != k.KCV.String() {
			o.t.Errorf("%s has check value %s, openssl says %s", k.Ref, k.KCV, got)
		}
	}
}

// ecb does jobs, one process for each key.
func (o openSSL) ecb(jobs []job) map[job]string {
	byKey := make(map[job][]job)
	for _, j := range jobs {
		k := job{sm4: j.sm4, key: j.key}
		byKey[k] = append(byKey[k], j)
	}
	done := make(map[job]string)
	for k, same := range byKey {
		in := ""
		for _, j := range same {
			in += j.block
		}
		cipher := "-des-ede"
		if k.sm4 {
			cipher = "-sm4-ecb"
		}
		out := o.run(in, cipher, "-K", k.key)
		for _, j := range same {
			n := len(j.block)
			done[j], out = out[:n], out[n:]
		}
	}
	return done
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
