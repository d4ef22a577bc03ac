package vectors_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/vectors"
)

// byID gives all vectors; an id that occurs twice fails the test.
func byID(t *testing.T) map[string]vectors.Vector {
	t.Helper()
	all := make(map[string]vectors.Vector)
	for _, f := range vectors.All() {
		for _, v := range f.Vectors {
			if _, twice := all[v.ID]; twice {
				t.Errorf("two vectors are named %s", v.ID)
			}
			all[v.ID] = v
		}
	}
	if len(all) == 0 {
		t.Fatal("there are no vectors")
	}
	return all
}

func TestVectorsAreDistinct(t *testing.T) {
	seen := make(map[mac.Op]string)
	for id, v := range byID(t) {
		op, err := v.Op()
		if err != nil {
			t.Error(err)
		}
		if len(v.Factors) > len(op.Factors) {
			continue // an Op does not hold all of them
		}
		if other, twice := seen[op]; twice {
			t.Errorf("%s and %s ask the same", id, other)
		}
		seen[op] = id
	}
}

func TestVectorsSayWhatTheyAre(t *testing.T) {
	for id, v := range byID(t) {
		if strings.TrimSpace(v.Source) == "" || strings.TrimSpace(v.Comment) == "" {
			t.Errorf("%s has no source or no comment", id)
		}
	}
}

// TestEveryOperationHasEveryVerdict keeps a new operation from coming without
// its vectors.
func TestEveryOperationHasEveryVerdict(t *testing.T) {
	have := make(map[string]int)
	for _, v := range byID(t) {
		have[fmt.Sprintf("%s %s", v.Operation, v.Expect)]++
		have[fmt.Sprintf("%s %s with %d factors", v.Operation, v.Expect, len(v.Factors))]++
	}
	for _, k := range mac.Kinds() {
		success := vectors.Accept
		refusals := []vectors.Expect{vectors.Invalid, vectors.NotFound, vectors.Usage, vectors.Algorithm, vectors.Retired}
		if _, claims := k.Claims(); claims {
			refusals = append(refusals, vectors.Mismatch)
		} else {
			success = vectors.Made
		}
		for _, e := range refusals {
			if have[fmt.Sprintf("%s %s", k, e)] == 0 {
				t.Errorf("%s: no vector expects %s", k, e)
			}
		}
		for levels := range keystore.MaxLevels + 1 {
			if have[fmt.Sprintf("%s %s with %d factors", k, success, levels)] == 0 {
				t.Errorf("%s: no vector expects %s with %d factors", k, success, levels)
			}
		}
	}
}

// neighboursOf lists the wrong neighbours that a right claim must have.
func neighboursOf(v vectors.Vector) []string {
	f := formulaOf(v)
	words := " " + f.session + " " + f.claimed + " "
	if f.generic {
		return []string{"mac-first-bit", "mac-last-bit", "other-message", "wrong-key"}
	}
	names := []string{"mac-first-bit", "mac-last-bit", "wrong-card"}
	if len(v.Factors) > 1 {
		names = append(names, "wrong-issuer", "factors-reversed")
	}
	for _, n := range []struct{ word, name string }{
		{"online-counter", "wrong-counter"}, {"offline-counter", "wrong-counter"},
		{"terminal-serial", "wrong-serial"}, {"amount", "wrong-amount"}, {"type", "wrong-type"},
	} {
		if strings.Contains(words, " "+n.word+" ") || strings.Contains(words, " "+n.word+":") {
			names = append(names, n.name)
		}
	}
	return names
}

func TestRightClaimsHaveWrongNeighbours(t *testing.T) {
	all := byID(t)
	for id, v := range all {
		if v.Expect != vectors.Accept {
			continue
		}
		for _, name := range neighboursOf(v) {
			n, ok := all[id+"/"+name]
			if !ok {
				t.Errorf("%s has no neighbour %s", id, name)
			} else if n.Expect != vectors.Mismatch {
				t.Errorf("%s expects %s", n.ID, n.Expect)
			}
		}
	}
}

// TestNeighboursDifferInOneThing holds that a neighbour tests what its name
// says and nothing else.
func TestNeighboursDifferInOneThing(t *testing.T) {
	all, found := byID(t), 0
	for id, v := range all {
		i := strings.LastIndex(id, "/")
		if i < 0 {
			continue
		}
		base, ok := all[id[:i]]
		if !ok {
			continue
		}
		found++
		if n := differences(base, v); n != 1 {
			t.Errorf("%s differs from its neighbour in %d things", id, n)
		}
	}
	if found == 0 {
		t.Fatal("no vector is a neighbour")
	}
}

func differences(a, b vectors.Vector) (n int) {
	if a.Key != b.Key {
		n++
	}
	if !slices.Equal(a.Factors, b.Factors) {
		n++
	}
	for name := range a.Fields {
		if a.Fields[name] != b.Fields[name] {
			n++
		}
	}
	return n
}

// TestOtherInputsMakeOtherMACs holds the neighbours of a MAC that is made.
func TestOtherInputsMakeOtherMACs(t *testing.T) {
	answers := make(map[string]string)
	for id, v := range byID(t) {
		if v.Expect != vectors.Made || strings.HasSuffix(id, "/serial-left-half") {
			continue
		}
		if other, twice := answers[v.Answer]; twice {
			t.Errorf("%s and %s have the same answer", id, other)
		}
		answers[v.Answer] = id
	}
	if len(answers) < 2 {
		t.Fatalf("found %d vectors", len(answers))
	}
}

// TestKeys holds that the check values are right and that two keys are one
// only where a vector needs it: keys that differ in nothing but parity have
// the same check value.
func TestKeys(t *testing.T) {
	values := make(map[keystore.KCV]keystore.Secret)
	refs := make(map[keystore.Ref]bool)
	for i, k := range vectors.Keys() {
		if refs[k.Ref] {
			t.Errorf("two keys are named %s", k.Ref)
		}
		refs[k.Ref] = true
		if int(k.Index) != i+1 {
			t.Errorf("%s has index %d, want %d", k.Ref, k.Index, i+1)
		}
		kcv := reference.Key(k.Secret).KCV()
		if k.Cipher == keystore.CipherSM4 {
			kcv = reference.Key(k.Secret).KCVSM4()
		}
		if kcv != k.KCV {
			t.Errorf("%s has check value %s, want %s", k.Ref, k.KCV, kcv)
		}
		if other, ok := values[k.KCV]; ok && other != k.Secret {
			t.Errorf("%s is another key in nothing but its parity", k.Ref)
		}
		values[k.KCV] = k.Secret
	}
}

// TestRefusedForTheRightReason holds, where the module is at hand, that an
// invalid field is refused for itself: a wire would not tell which.
func TestRefusedForTheRightReason(t *testing.T) {
	hsm := engine(t, reference.Backend{}, vectors.Keys())
	n := 0
	for id, v := range byID(t) {
		if v.Expect != vectors.Invalid {
			continue
		}
		n++
		op, err := v.Op()
		if err != nil {
			t.Fatal(err)
		}
		ops := []mac.Op{op}
		if err := hsm.Do(t.Context(), ops); err != nil {
			t.Fatal(err)
		}
		if err := ops[0].Err; err == nil || !strings.HasSuffix(err.Error(), " "+v.Field) {
			t.Errorf("%s: %v does not name %s", id, err, v.Field)
		}
	}
	if n == 0 {
		t.Fatal("no vector expects invalid")
	}
}

// TestKeysAreKnownToBePublished holds that production refuses every key that
// this repository prints.
func TestKeysAreKnownToBePublished(t *testing.T) {
	for _, k := range vectors.Keys() {
		if !k.Secret.Published() {
			t.Errorf("%s could be imported for production", k.Ref)
		}
	}
}
