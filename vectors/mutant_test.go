package vectors_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/vectors"
)

// A mutant is an HSM with one mistake: before changes what it is asked, after
// what it answers.
type mutant struct {
	mac.HSM
	before, after func(op *mac.Op)
}

func (m mutant) Do(ctx context.Context, ops []mac.Op) error {
	work := slices.Clone(ops)
	for i := range work {
		if m.before != nil {
			m.before(&work[i])
		}
	}
	if err := m.HSM.Do(ctx, work); err != nil {
		return err
	}
	for i := range work {
		if m.after != nil {
			m.after(&work[i])
		}
		ops[i].Answer, ops[i].Err = work[i].Answer, work[i].Err
	}
	return nil
}

// deaf is an HSM that looks at nothing.
type deaf struct{}

func (deaf) Do(context.Context, []mac.Op) error { return nil }

// A mistake is caught if the vector id fails, and the report says so.
type mistake struct {
	name string
	hsm  mac.HSM
	id   string
	says string
}

func TestMistakesAreCaught(t *testing.T) {
	mistakes := slices.Concat(
		verdictMistakes(t), inputMistakes(t), keyMistakes(t), keyArithmeticMistakes(t), macArithmeticMistakes(t),
	)
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			report, err := vectors.Run(context.Background(), m.hsm, vectors.Options{})
			if !errors.Is(err, vectors.ErrFailed) {
				t.Fatalf("error %v, want ErrFailed", err)
			}
			failures := report.Failures()
			i := slices.IndexFunc(failures, func(f vectors.Failure) bool { return f.ID == m.id })
			if i < 0 {
				t.Fatalf("%s passes; %d others do not", m.id, len(failures))
			}
			if text := failures[i].String(); !strings.Contains(text, m.says) {
				t.Errorf("the report says %q, want %q in it", text, m.says)
			}
			if !strings.Contains(err.Error(), failures[0].String()) {
				t.Errorf("the error %q does not tell the first failure", err)
			}
		})
	}
}

func verdictMistakes(t *testing.T) []mistake {
	good := engine(t, reference.Backend{}, vectors.Keys())
	return []mistake{
		{
			name: "ignores MAC1", id: "load/level-1/mac-first-bit", says: "want mismatch, got success",
			hsm: mutant{HSM: good, after: func(op *mac.Op) {
				if errors.Is(op.Err, mac.ErrVerify) {
					op.Err = nil
				}
			}},
		},
		{
			name: "answers nothing", id: "load/level-1/mac-first-bit", says: "the module did not answer",
			hsm: deaf{},
		},
		{
			name: "leaves old answers beside a refusal", id: "load/level-1/mac-first-bit", says: "and a MAC with it",
			hsm: mutant{HSM: good, after: func(op *mac.Op) {
				if op.Err != nil {
					op.Answer = [4]byte{1}
				}
			}},
		},
		{
			name: "refuses what is right", id: "unload/level-4", says: `want accept `,
			hsm: mutant{HSM: good, after: func(op *mac.Op) {
				if op.Levels == keystore.MaxLevels {
					op.Answer, op.Err = [4]byte{}, op.Kind.Mismatch()
				}
			}},
		},
		{
			name: "answers a verification", id: "load-tac/level-1", says: "want accept, got success with 01000000",
			hsm: mutant{HSM: good, after: func(op *mac.Op) {
				if op.Err == nil && op.Kind == mac.KindLoadTAC {
					op.Answer[0] = 1
				}
			}},
		},
		{
			name: "refuses everything in one way", id: "load/refused/unknown-set", says: "want not-found, got \"mac: invalid field\"",
			hsm: mutant{HSM: good, after: func(op *mac.Op) {
				if op.Err != nil {
					op.Err = mac.ErrInvalid
				}
			}},
		},
	}
}

func inputMistakes(t *testing.T) []mistake {
	good := engine(t, reference.Backend{}, vectors.Keys())
	reads := func(name, id string, before func(op *mac.Op)) mistake {
		return mistake{name: name, id: id, says: "verification failed", hsm: mutant{HSM: good, before: before}}
	}
	makes := func(name, id string, before func(op *mac.Op)) mistake {
		return mistake{name: name, id: id, says: "got success with", hsm: mutant{HSM: good, before: before}}
	}
	return []mistake{
		reads("wrong type byte", "load-ed-csdn-slj_win", func(op *mac.Op) {
			if op.Kind == mac.KindLoad {
				mac.Type.Bytes(op)[0] = byte(mac.TypeLoadEP)
			}
		}),
		reads("little-endian online counter", "load/level-1", func(op *mac.Op) {
			slices.Reverse(mac.OnlineCounter.Bytes(op))
		}),
		reads("online counter after its increment", "load-tac/level-1", func(op *mac.Op) {
			mac.OnlineCounter.Bytes(op)[1]++
		}),
		makes("little-endian offline counter", "purchase/level-1", func(op *mac.Op) {
			slices.Reverse(mac.OfflineCounter.Bytes(op))
		}),
		makes("left half of the terminal serial", "purchase/level-1", func(op *mac.Op) {
			serial := mac.TerminalSerial.Bytes(op)
			copy(serial[2:], serial[:2])
		}),
		makes("whole terminal serial", "purchase/serial-left-half", func(op *mac.Op) {
			serial := mac.TerminalSerial.Bytes(op)
			serial[2] ^= serial[0]
		}),
		{
			name: "no look at the date", id: "unload/refused/date-0230", says: "want invalid, got success",
			hsm: mutant{HSM: good, before: func(op *mac.Op) { copy(mac.Date.Bytes(op), []byte{0x20, 0x24, 0x01, 0x01}) }},
		},
	}
}

func keyMistakes(t *testing.T) []mistake {
	good := engine(t, reference.Backend{}, vectors.Keys())
	active := vectors.Keys()
	for i := range active {
		active[i].State = keystore.StateActive
	}
	return []mistake{
		{
			name: "ignores the state", id: "load/refused/retired-key", says: "want retired, got success",
			hsm: engine(t, reference.Backend{}, active),
		},
		{
			name: "ignores the version", id: "purchase-tac/refused/unknown-version", says: "want not-found, got success",
			hsm: mutant{HSM: good, before: func(op *mac.Op) {
				if op.Key.Set == 0xA1 {
					op.Key.Version = 1
				}
			}},
		},
		{
			name: "ignores the algorithm", id: "unload-mac3/refused/wrong-algorithm", says: "want algorithm, got success",
			hsm: mutant{HSM: good, before: func(op *mac.Op) {
				if op.Key.Set == 0xA1 {
					op.Key.Algorithm = 0
				}
			}},
		},
		{
			name: "ignores the usage", id: "purchase/refused/wrong-usage", says: "want usage, got success",
			hsm: engine(t, reference.Backend{}, ofEveryUsage(vectors.Keys())),
		},
	}
}

// ofEveryUsage gives each key of a set with a single key to every usage.
func ofEveryUsage(keys []keystore.Entry) []keystore.Entry {
	for _, k := range keys {
		if k.Set < 0xAB || k.Set > 0xAE {
			continue
		}
		for _, u := range []keystore.Usage{keystore.UsageLoad, keystore.UsageUnload, keystore.UsagePurchase, keystore.UsageTAC} {
			if u != k.Usage {
				k.Index = 0
				twin := k
				twin.Usage = u
				keys = append(keys, twin)
			}
		}
	}
	return keys
}
