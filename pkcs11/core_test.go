//go:build cgo && !nopkcs11 && linux

package pkcs11_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"math/bits"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/pkcs11"
	"pbochsm/pkcs11/tokentest"
)

var coreCount = flag.Int("pkcs11.cores", 1, "how many core dumps to take of each process under load")

// A dumped is what the process that is dumped is told: everything but keys.
type dumped struct {
	Fixture tokentest.Fixture
	Public  bool
	Keys    []keystore.Key
}

const dumpedEnv = "PBOCHSM_DUMPED"

// TestDumpedProcess is no test: it is the process under load that TestCoreDump
// takes cores of.
func TestDumpedProcess(t *testing.T) {
	told := os.Getenv(dumpedEnv)
	if told == "" {
		t.Skip("it is started by TestCoreDump")
	}
	var d dumped
	if err := json.Unmarshal([]byte(told), &d); err != nil {
		t.Fatal(err)
	}
	entries := make([]keystore.Entry, len(d.Keys))
	for i := range d.Keys {
		entries[i].Key = d.Keys[i]
	}
	cfg := d.Fixture.Config(t)
	cfg.Name, cfg.Profile.Public = tokenName, d.Public
	b, err := pkcs11.Serve(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	keys := snapshot(t, entries)
	if err := b.Check(context.Background(), keys); err != nil {
		t.Fatal(err)
	}
	fmt.Println("ready")
	for {
		chains := loadOfCards()
		if err := b.Run(context.Background(), keys, chains); err != nil {
			t.Fatal(err)
		}
	}
}

// loadOfCards is a load and a TAC of each of some cards, again and again.
func loadOfCards() []mac.Chain {
	s := newSource(9)
	chains := make([]mac.Chain, 64)
	for i := range chains {
		c := &chains[i]
		c.Key, c.Levels, c.Final = keystore.Handle(i%2), 1, mac.FinalSession
		if i%2 == 1 {
			c.Final = mac.FinalTAC
		}
		s.fill(c.Factors[0][:])
		s.fill(c.Data[:])
		c.Message[0].Blocks, c.Message[1].Blocks = 2, 3
	}
	return chains
}

// TestCoreDump takes cores of a process that computes in SoftHSM, whose memory is
// the process's own, and looks for halves of keys: of the issuer's, and of the
// cards'. The session keys and the folded TAC keys are not looked for, since
// docs/pkcs11.md says what of them passes through.
//
// That it can find them is shown with keys that are public objects, which
// SoftHSM keeps in clear.
func TestCoreDump(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector makes cores of gigabytes; make token-cores runs this without it")
	}
	gcore, err := exec.LookPath("gcore")
	if err != nil {
		if os.Getenv("REQUIRE_GDB") != "" {
			t.Fatal(err)
		}
		t.Skipf("%v; REQUIRE_GDB=1 makes this a failure", err)
	}
	f := tokentest.SoftHSM(t)
	s := newSource(8)
	var entries []keystore.Entry
	for _, e := range s.entries() {
		if e.Levels == 1 {
			entries = append(entries, e)
		}
	}
	keys := install(t, f, entries)
	secrets := secretsOf(entries)
	cards := len(loadOfCards())

	public := count(dump(t, gcore, dumped{Fixture: f, Public: true, Keys: keys.Keys()}), secrets)
	t.Logf("with public card keys: %v", public)
	if public["card load"] < cards/2 {
		t.Errorf("card keys are in clear, and only %d of %d are found: the search is blind", public["card load"], cards)
	}
	private := map[string]int{}
	for range *coreCount {
		for what, n := range count(dump(t, gcore, dumped{Fixture: f, Keys: keys.Keys()}), secrets) {
			private[what] += n
		}
	}
	t.Logf("%d cores with private keys: %v", *coreCount, private)
}

// A secret is bytes that must not be found, and what they are.
type secret struct {
	what  string
	bytes []byte
}

// secretsOf gives the masters, and the cards' keys of loadOfCards, as halves, both
// as they are and with the parity that a token gives them.
func secretsOf(entries []keystore.Entry) []secret {
	var all []secret
	add := func(what string, key []byte) {
		for i := 0; i < 16; i += 8 {
			half := append([]byte(nil), key[i:i+8]...)
			all = append(all, secret{what, half})
			odd := append([]byte(nil), half...)
			for j := range odd {
				if bits.OnesCount8(odd[j])%2 == 0 {
					odd[j] ^= 1
				}
			}
			all = append(all, secret{what, odd})
		}
	}
	for _, e := range entries {
		add("master "+e.Usage.String(), e.Secret[:])
	}
	for _, c := range loadOfCards() {
		trace := reference.Run(keystore.Cipher3DES, reference.Key(entries[c.Key].Secret), &c)
		add("card "+entries[c.Key].Usage.String(), trace.Keys[1][:])
	}
	return all
}

// count tells how often secrets are found, by what they are.
func count(core []byte, secrets []secret) map[string]int {
	found, what := map[string]int{}, map[[8]byte]string{}
	var begins [1 << 16]bool
	for _, s := range secrets {
		found[s.what] = 0
		what[[8]byte(s.bytes)] = s.what
		begins[binary.LittleEndian.Uint16(s.bytes)] = true
	}
	var blank [4096]byte
	for i := 0; i+8 <= len(core); i++ {
		if i%len(blank) == 0 { // most of a core is pages that were never used
			for i+2*len(blank) < len(core) && bytes.Equal(core[i:i+len(blank)], blank[:]) && core[i+len(blank)] == 0 {
				i += len(blank)
			}
		}
		if begins[binary.LittleEndian.Uint16(core[i:])] {
			if name, ok := what[[8]byte(core[i:])]; ok {
				found[name]++
			}
		}
	}
	return found
}

// dump starts the process, takes a core of it under load, and ends it.
func dump(t *testing.T, gcore string, d dumped) []byte {
	t.Helper()
	told, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestDumpedProcess$")
	cmd.Env = append(os.Environ(), dumpedEnv+"="+string(told))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "ready" {
		t.Log(lines.Text())
	}
	time.Sleep(300 * time.Millisecond) // under load
	prefix := filepath.Join(t.TempDir(), "core")
	said, err := exec.CommandContext(t.Context(), gcore, "-o", prefix, fmt.Sprint(cmd.Process.Pid)).CombinedOutput()
	core, readErr := os.ReadFile(fmt.Sprintf("%s.%d", prefix, cmd.Process.Pid))
	if readErr != nil {
		t.Fatalf("gcore: %v, %v\n%s", err, readErr, said)
	}
	if !strings.Contains(string(core), "pbochsm test") {
		t.Error("the core has not even the label of the token: it is no core of this process")
	}
	return core
}
