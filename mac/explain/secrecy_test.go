package explain_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/explain"
	"pbochsm/vectors"
)

// secretsOf are the values of an explanation under test keys that are not for
// showing otherwise: keys and their halves, what the chains give, and MACs.
func secretsOf(x *explain.Explanation) map[string]string {
	all := map[string]string{}
	for _, k := range x.Keys {
		all[k.Bytes] = k.Name
		if len(k.Bytes) == 32 {
			all[k.Bytes[:16]], all[k.Bytes[16:]] = "left half of the "+k.Name, "right half of the "+k.Name
		}
	}
	for _, m := range x.Messages {
		for i, b := range m.Blocks {
			all[b.Chain] = fmt.Sprintf("chain of %s, block %d", m.Name, i+1)
			if len(b.Chain) == 32 {
				all[b.Chain[:16]] = fmt.Sprintf("left half of the chain of %s, block %d", m.Name, i+1)
			}
		}
		all[m.Result] = m.Name
	}
	delete(all, "")
	return all
}

// operations are two of every kind that can be explained, one for each cipher, from the vectors with
// two levels; they ask the set of estate.
func operations(t *testing.T) (all []mac.Op) {
	t.Helper()
	type sort struct {
		kind      mac.Kind
		algorithm byte
	}
	have := map[sort]bool{}
	for _, f := range vectors.All() {
		for _, v := range f.Vectors {
			op, err := v.Op()
			if err != nil {
				t.Fatal(err)
			}
			if s := (sort{op.Kind, op.Key.Algorithm}); strings.HasPrefix(v.Key, "A2/") && !have[s] && (v.Expect == vectors.Accept || v.Expect == vectors.Made || v.Expect == vectors.Mismatch) {
				have[s] = true
				op.Key = mac.KeyID{Set: set, Version: 1, Algorithm: op.Key.Algorithm}
				all = append(all, op)
			}
		}
	}
	return all
}

// TestProductionKeysAreNotShown explains every kind of operation with keys that
// are not for showing, with MACs that are right and wrong, and looks for
// everything that the same explanation with the same keys in a test store has.
func TestProductionKeysAreNotShown(t *testing.T) {
	_, open := estate(t, keystore.ModeTest, plain())
	_, closed := estate(t, keystore.ModeProduction, plain())
	kinds, earned := map[mac.Kind]bool{}, 0
	closed.HSM = unsearched{closed.HSM}
	for _, op := range operations(t) {
		kinds[op.Kind] = true
		claim, claims := op.Kind.Claims()
		if claims && !forge(t, &open, &op, claim) {
			t.Fatalf("%s: no claim could be made", op.Kind)
		}
		shown, err := open.Explain(context.Background(), op, nil)
		if err != nil {
			t.Fatal(err)
		}
		earned += hides(t, &closed, op, nil, shown)
		wrong, expect := underAnotherKey(t, &open, op)
		hides(t, &closed, wrong, expect, shown)
		x, err := closed.Explain(context.Background(), wrong, expect)
		if err != nil || x.Verdict != explain.Mismatch || len(x.Mistakes) != 1 || x.Mistakes[0].Mistake != "key" {
			t.Errorf("%s, another key: %s %s, %+v, %v", op.Kind, x.Verdict, x.Reason, x.Mistakes, err)
		}
		if op.Kind == mac.KindLoad && op.Key.Algorithm == 0 { // the long way, through all mistakes
			copy(claim.Bytes(&wrong), []byte{0xDE, 0xAD, 0xBE, 0xEF})
			hides(t, &closed, wrong, []byte{0xCA, 0xFE, 0xCA, 0xFE}, shown)
		}
	}
	for _, k := range mac.Kinds() {
		if !kinds[k] {
			t.Errorf("%s was not tried", k)
		}
	}
	if earned == 0 {
		t.Error("no answer was ever earned")
	}
}

// underAnotherKey is op with what another key makes: its claim, and what is
// expected in place of its answer.
func underAnotherKey(t *testing.T, open *explain.Explainer, op mac.Op) (wrong mac.Op, expect []byte) {
	t.Helper()
	wrong, other := op.Clone(), op.Clone()
	other.Key.Version, other.Key.Algorithm = 2-other.Key.Algorithm/4, 0
	if claim, claims := op.Kind.Claims(); claims {
		if !forge(t, open, &other, claim) {
			t.Fatalf("%s: no claim could be made", op.Kind)
		}
		copy(claim.Bytes(&wrong), claim.Bytes(&other))
	}
	return wrong, resultOf(t, open, other, explain.Answered)
}

// resultOf is what comes out of the message of a role, nil if there is none.
func resultOf(t *testing.T, open *explain.Explainer, op mac.Op, role explain.Role) []byte {
	t.Helper()
	x, err := open.Explain(context.Background(), op, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range x.Messages {
		if m.Role == role {
			b, err := hex.DecodeString(m.Result)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
	}
	return nil
}

// forge gives op the claim that is right, as an explanation with test keys tells
// it.
func forge(t *testing.T, open *explain.Explainer, op *mac.Op, claim mac.Field) bool {
	t.Helper()
	right := resultOf(t, open, *op, explain.Checked)
	return len(right) > 0 && copy(claim.Bytes(op), right) == len(right)
}

// unsearched answers nothing to those who ask a lot at once.
type unsearched struct{ mac.HSM }

func (u unsearched) Do(ctx context.Context, ops []mac.Op) error {
	if len(ops) == 1 {
		return u.HSM.Do(ctx, ops)
	}
	for i := range ops {
		ops[i].Err = mac.ErrVerify
	}
	return nil
}

// hides holds that an explanation with keys that are not for showing has what
// that of shown has, and none of its secrets.
func hides(t *testing.T, closed *explain.Explainer, op mac.Op, expect []byte, shown *explain.Explanation) (earned int) {
	t.Helper()
	x, err := closed.Explain(context.Background(), op, expect)
	if err != nil {
		t.Fatal(err)
	}
	if !x.Hidden || shown.Hidden || len(x.Keys) != len(shown.Keys) || len(x.Messages) != len(shown.Messages) {
		t.Fatalf("%s is told otherwise: %+v", op.Kind, x)
	}
	return held(t, op, shown, x)
}

// held looks for the secrets of shown in x, and counts the answers that x was
// right to show.
func held(t *testing.T, op mac.Op, shown, x *explain.Explanation) (earned int) {
	t.Helper()
	text, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range x.Messages { // what was given is the caller's own
		text = bytes.ReplaceAll(text, []byte(`"given":"`+m.Given+`"`), nil)
	}
	may := []string{x.Command} // which the module makes
	if x.Err() == nil || x.Verdict == explain.Mismatch && op.Kind.Mismatch() == nil {
		for _, m := range shown.Messages {
			if m.Result != "" {
				may = append(may, m.Result)
				earned++
			}
		}
	}
	ours := func(value string) bool {
		return slices.ContainsFunc(may, func(m string) bool { return strings.Contains(m, value) })
	}
	for value, name := range secretsOf(shown) {
		if ours(value) {
			continue
		}
		if bytes.Contains(text, []byte(value)) {
			t.Errorf("%s, %s: shows %s, %s", op.Kind, x.Verdict, name, text)
		}
	}
	return earned
}
