package settlement_test

import (
	"math"
	"testing"
	"time"

	"pbochsm/cmd/pbochsm/internal/settlement"
	"pbochsm/cmd/pbochsm/internal/settlement/sample"
	"pbochsm/mac"
)

// BenchmarkStages tells where the time of a worker goes: of one chunk of
// records of all operations, the fastest turn of each stage, for each record.
func BenchmarkStages(b *testing.B) {
	for _, f := range []struct {
		name string
		keys []mac.KeyID
	}{{"one key", []mac.KeyID{{Set: 0xA1, Version: 1}}}, {"all keys", nil}} {
		b.Run(f.name, func(b *testing.B) {
			text, _ := made(b, sample.Options{Records: 2200, Seed: 31, Keys: f.keys})
			s, err := settlement.NewStages(&settlement.CSV{}, fast(b), text)
			if err != nil {
				b.Fatal(err)
			}
			best := [3]time.Duration{math.MaxInt64, math.MaxInt64, math.MaxInt64}
			records := 0
			for b.Loop() {
				parse, ask, judge, n, err := s.Once(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				records = n
				for i, d := range []time.Duration{parse, ask, judge} {
					best[i] = min(best[i], d)
				}
			}
			for i, name := range []string{"parse-ns", "ask-ns", "judge-ns"} {
				b.ReportMetric(float64(best[i].Nanoseconds())/float64(records), name)
			}
		})
	}
}
