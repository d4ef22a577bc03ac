package explain_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/explain"
	"pbochsm/mac/lanes"
	"pbochsm/vectors"
)

// withTestKeys explains under the keys of the vectors.
func withTestKeys(t *testing.T) explain.Explainer {
	t.Helper()
	s, err := vectors.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	live := keystore.NewLive(s)
	return explain.Explainer{Keys: live, HSM: mac.NewEngine(live, lanes.New())}
}

// TestVectors explains every vector that has a right answer, the published ones
// among them: what the explanation computes on its way is what the vector says.
func TestVectors(t *testing.T) {
	e, tried := withTestKeys(t), 0
	for _, f := range vectors.All() {
		for _, v := range f.Vectors {
			op, err := v.Op()
			if err != nil {
				t.Fatal(err)
			}
			if v.Expect != vectors.Accept && v.Expect != vectors.Made || op.Kind.IsGeneric() {
				continue
			}
			tried++
			expect, err := hex.DecodeString(v.Answer)
			if err != nil {
				t.Fatal(err)
			}
			if len(expect) == 0 {
				expect = nil
			}
			x, err := e.Explain(context.Background(), op, expect)
			if err != nil || x.Err() != nil || len(x.Mistakes) > 0 {
				t.Errorf("%s: %v, %+v", v.ID, err, x)
				continue
			}
			for _, m := range x.Messages {
				if m.Role == explain.Checked && (m.Right == nil || !*m.Right) || m.Role == explain.Answered && expect != nil && !strings.EqualFold(m.Result, v.Answer) {
					t.Errorf("%s: %+v, want %s", v.ID, m, v.Answer)
				}
			}
		}
	}
	if tried < 500 {
		t.Errorf("only %d vectors were tried", tried)
	}
}

// The neighbours of published vectors are wrong in one thing, and where that is
// one of the mistakes it is named.
func TestNeighbours(t *testing.T) {
	e := withTestKeys(t)
	names := map[string]string{"wrong-type": "type", "factors-reversed": "factor-order"}
	tried := map[string]int{}
	for _, f := range vectors.All() {
		for _, v := range f.Vectors {
			op, err := v.Op()
			if err != nil {
				t.Fatal(err)
			}
			want, known := names[v.ID[strings.LastIndex(v.ID, "/")+1:]]
			if !known || v.Expect != vectors.Mismatch {
				continue
			}
			tried[want]++
			x, err := e.Explain(context.Background(), op, nil)
			if err != nil || len(x.Mistakes) == 0 || x.Mistakes[0].Mistake != want {
				t.Errorf("%s: %v, %s", v.ID, err, fmt.Sprint(x.Mistakes))
			}
		}
	}
	if tried["type"] < 10 || tried["factor-order"] < 10 {
		t.Errorf("tried %v", tried)
	}
}
