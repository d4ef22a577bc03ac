package explain_test

import (
	"context"
	"errors"
	"maps"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/explain"
	"pbochsm/mac/lanes"
)

var (
	issuerCode = []byte{0x62, 0x00, 0x10, 0x20, 0x62, 0x00, 0x10, 0x20}
	asn        = []byte{0x21, 0x50, 0x01, 0x01, 0x86, 0x00, 0x12, 0x34}
	code       = []byte{0x62, 0x50, 0x01, 0x86, 0x12, 0x34, 0x01, 0x00, 0x07}
)

const set = 0x31

var transactionUsages = []keystore.Usage{
	keystore.UsageLoad, keystore.UsageUnload, keystore.UsagePurchase, keystore.UsageTAC, keystore.UsageOverdraft, keystore.UsageUnlock,
	keystore.UsagePINUnblock, keystore.UsagePINReload, keystore.UsageMaintenance, keystore.UsageCardControl, keystore.UsageAuthenticate, keystore.UsageKeyControl,
}

// keyOf is the key of a usage, version and algorithm identifier: bytes that
// depend on all of them.
func keyOf(u keystore.Usage, version, algorithm byte) (k [16]byte) {
	for i := range k {
		k[i] = byte(37*i) ^ byte(11*int(u)) ^ version<<3 ^ algorithm<<5
	}
	return k
}

// estate is a set with, of every usage, a key of version 01, one of version 02,
// and an SM4 key under the identifier 04, all of two levels.
func estate(t *testing.T, mode keystore.Mode, p keystore.Profile) (*keystore.Live, explain.Explainer) {
	t.Helper()
	var entries []keystore.Entry
	for _, u := range transactionUsages {
		for _, id := range []struct {
			version, algorithm byte
			cipher             keystore.Cipher
		}{{1, 0, keystore.Cipher3DES}, {2, 0, keystore.Cipher3DES}, {1, 4, keystore.CipherSM4}} {
			entries = append(entries, keystore.Entry{
				Key: keystore.Key{
					Ref:   keystore.Ref{Set: set, Usage: u, Version: id.version, Algorithm: id.algorithm},
					Index: uint16(len(entries) + 1), Cipher: id.cipher, Levels: 2, State: keystore.StateActive,
				},
				Secret: keystore.Secret(keyOf(u, id.version, id.algorithm)),
			})
		}
	}
	p.Set = set
	s, err := keystore.NewSnapshot(mode, 1, keystore.KCV{}, entries, p)
	if err != nil {
		t.Fatal(err)
	}
	live := keystore.NewLive(s)
	return live, explain.Explainer{Keys: live, HSM: mac.NewEngine(live, lanes.New())}
}

func plain() keystore.Profile { return keystore.Profile{Name: keystore.ProfilePlain} }

// increased is a counter after its increment.
func increased(v map[string][]byte) {
	for _, name := range []string{"online-counter", "offline-counter"} {
		v[name] = []byte{v[name][0], v[name][1] + 1}
	}
}

// The mistakes, each made by a party that computes for itself.
var made = map[string]struct {
	name string // that explain gives it
	make func(*party)
}{
	"another type":                {"type", func(p *party) { p.values["type"] = []byte{0x08} }},
	"levels in another order":     {"factor-order", func(p *party) { p.factors = [][]byte{p.factors[1], p.factors[0]} }},
	"one level fewer":             {"levels", func(p *party) { p.factors = p.factors[1:] }},
	"left end of an ASN of 20":    {"asn", func(p *party) { p.factors = [][]byte{issuerCode, append([]byte{0, 0}, asn[:6]...)} }},
	"left end with digits before": {"asn", func(p *party) { p.factors = [][]byte{issuerCode, append([]byte{0x37, 0x19}, asn[:6]...)} }},
	"right end of an ASN of 20":   {"asn", func(p *party) { p.factors = [][]byte{issuerCode, append(append([]byte(nil), asn[2:]...), 0x56, 0x78)} }},
	"complement first":            {"complement", func(p *party) { p.complementFirst = true }},
	"balance in BCD": {"bcd", func(p *party) {
		p.values["balance"], p.values["new-balance"] = []byte{0, 1, 0, 0}, []byte{0, 1, 0x50, 0}
	}},
	"amount in BCD":                  {"bcd", func(p *party) { p.values["amount"] = []byte{0, 0, 0x50, 0} }},
	"counter after its increment":    {"counter", func(p *party) { p.values = maps.Clone(p.values); increasedOne(p) }},
	"another version":                {"key", nil},
	"another algorithm":              {"key", nil},
	"another role":                   {"key", nil},
	"single DES":                     {"single-des", func(p *party) { p.oneDES = true }},
	"SM4 with the bytes of this key": {"cipher", func(p *party) { p.sm4 = true }},
}

// increasedOne increases the counter that the session key is made from, or the
// one of the message where there is none.
func increasedOne(p *party) { increased(p.values) }

// TestMistakes makes a MAC with each mistake, for every operation that has a
// MAC, and has the mistake named, it and no other.
func TestMistakes(t *testing.T) {
	_, e := estate(t, keystore.ModeTest, plain())
	for what, m := range made {
		tried := 0
		for kind, f := range formulas {
			p := party{key: keyOf(f.usage, 1, 0), factors: [][]byte{issuerCode, asn}, values: values(kind)}
			op := ask(t, kind, mac.KeyID{Set: set, Version: 1}, p.factors, p.values)
			right := p.mac(f)
			switch what {
			case "another version":
				p.key = keyOf(f.usage, 2, 0)
			case "another algorithm":
				p.key, p.sm4 = keyOf(f.usage, 1, 4), true
			case "another role":
				p.key = keyOf(keystore.UsageMaintenance, 1, 0)
			default:
				m.make(&p)
			}
			wrong := p.mac(f)
			if string(wrong) == string(right) || what == "counter after its increment" && kind == mac.KindUnlock {
				continue // which has two counters, incremented one at a time
			}
			tried++
			x := told(t, &e, op, f, wrong)
			if len(x.Mistakes) != 1 || x.Mistakes[0].Mistake != m.name || x.Verdict != explain.Mismatch || !errors.Is(x.Err(), mac.ErrVerify) {
				t.Errorf("%s in %s: told %+v, %s %v; want %s", what, kind, x.Mistakes, x.Verdict, x.Notes, m.name)
			}
		}
		if tried < 3 {
			t.Errorf("%s: tried with %d operations", what, tried)
		}
	}
}

// told explains op with the MAC of f, claimed or expected.
func told(t *testing.T, e *explain.Explainer, op mac.Op, f formula, value []byte) *explain.Explanation {
	t.Helper()
	var expect []byte
	if claim, claims := op.Kind.Claims(); claims {
		if claim.String() != f.of {
			t.Fatalf("%s claims %s", op.Kind, claim)
		}
		copy(claim.Bytes(&op), value)
	} else {
		expect = value
	}
	x, err := e.Explain(context.Background(), op, expect)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// A right MAC has no mistake, in either cipher and for every operation.
func TestRightMAC(t *testing.T) {
	_, e := estate(t, keystore.ModeTest, plain())
	for kind, f := range formulas {
		for _, algorithm := range []byte{0, 4} {
			p := party{key: keyOf(f.usage, 1, algorithm), sm4: algorithm == 4, factors: [][]byte{issuerCode, asn}, values: values(kind)}
			op := ask(t, kind, mac.KeyID{Set: set, Version: 1, Algorithm: algorithm}, p.factors, p.values)
			x := told(t, &e, op, f, p.mac(f))
			if x.Err() != nil || x.Verdict != explain.Holds && x.Verdict != explain.Made || len(x.Mistakes)+len(x.Notes) > 0 {
				t.Errorf("%s, algorithm %02X: %s, %v, %v %v", kind, algorithm, x.Verdict, x.Err(), x.Mistakes, x.Notes)
			}
		}
	}
}

// The authentication code of CJ/T 166, in the MAC and not, against either
// profile.
func TestAuthenticationCode(t *testing.T) {
	f := formulas[mac.KindPurchase]
	for _, c := range []struct {
		name            string
		reading         uint8
		given, computed bool
		want            explain.Verdict
		mistake         string
	}{
		{"left out by the other", keystore.AuthCodePurchase, true, false, explain.Mismatch, "auth-code"},
		{"taken by the other", 0, true, true, explain.Refused, "auth-code"},
		{"taken by both", keystore.AuthCodePurchase, true, true, explain.Made, ""},
		{"taken by neither", 0, false, false, explain.Made, ""},
	} {
		profile := plain()
		profile.Switches[keystore.SwitchAuthCode] = c.reading
		_, e := estate(t, keystore.ModeTest, profile)
		p := party{key: keyOf(f.usage, 1, 0), factors: [][]byte{issuerCode, asn}, values: values(mac.KindPurchase)}
		p.values["auth-code"] = code
		v := maps.Clone(p.values)
		if !c.given {
			delete(v, "auth-code")
		}
		if !c.computed {
			delete(p.values, "auth-code")
		}
		x := told(t, &e, ask(t, mac.KindPurchase, mac.KeyID{Set: set, Version: 1}, p.factors, v), f, p.mac(f))
		named := ""
		for _, m := range x.Mistakes {
			named += m.Mistake
		}
		if x.Verdict != c.want || named != c.mistake {
			t.Errorf("%s: %s, %q %v; want %s, %q", c.name, x.Verdict, named, x.Notes, c.want, c.mistake)
		}
	}
}

// Two mistakes at once are told as two.
func TestTwoMistakes(t *testing.T) {
	_, e := estate(t, keystore.ModeTest, plain())
	f := formulas[mac.KindLoad]
	p := party{key: keyOf(keystore.UsageUnload, 1, 0), factors: [][]byte{issuerCode, asn}, values: values(mac.KindLoad)}
	op := ask(t, mac.KindLoad, mac.KeyID{Set: set, Version: 1}, p.factors, p.values)
	p.values["type"] = []byte{byte(mac.TypeUnload)}
	if x := told(t, &e, op, f, p.mac(f)); len(x.Mistakes) != 1 || x.Mistakes[0].Mistake != "type+key" {
		t.Errorf("an unload in place of a load is told as %+v", x.Mistakes)
	}
}

// What no mistake explains is said to be so.
func TestNoMistake(t *testing.T) {
	_, e := estate(t, keystore.ModeTest, plain())
	v := values(mac.KindLoad)
	op := ask(t, mac.KindLoad, mac.KeyID{Set: set, Version: 1}, [][]byte{issuerCode, asn}, v)
	x := told(t, &e, op, formulas[mac.KindLoad], []byte{1, 2, 3, 4})
	if len(x.Mistakes) != 0 || len(x.Notes) != 1 || x.Verdict != explain.Mismatch {
		t.Errorf("told %+v %v", x.Mistakes, x.Notes)
	}
}

// A request for a key that is not there is refused, and the key that fits is
// found.
func TestKeyThatIsNotThere(t *testing.T) {
	_, e := estate(t, keystore.ModeTest, plain())
	f := formulas[mac.KindLoad]
	p := party{key: keyOf(keystore.UsageLoad, 2, 0), factors: [][]byte{issuerCode, asn}, values: values(mac.KindLoad)}
	op := ask(t, mac.KindLoad, mac.KeyID{Set: set, Version: 9}, p.factors, p.values)
	x := told(t, &e, op, f, p.mac(f))
	if x.Verdict != explain.Refused || !errors.Is(x.Err(), keystore.ErrNotFound) || len(x.Mistakes) != 1 || x.Mistakes[0].Flags != "--key 31/02/00" {
		t.Errorf("%s, %v, %+v", x.Verdict, x.Err(), x.Mistakes)
	}
}
