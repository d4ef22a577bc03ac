package protocol

import (
	"bytes"
	"context"
	"testing"

	"pbochsm/mac"
)

// nobody is an HSM that finds everything right.
type nobody struct{}

func (nobody) Do(context.Context, []mac.Op) error { return nil }

// BenchmarkBatch is what the server adds to the HSM for one load: cut, decode,
// reply, count.
func BenchmarkBatch(b *testing.B) {
	const depth = 128
	body := "HEADWA0101001" + "1122334455667788" + "11223344" + "0000000000000000100001001122334455201112212148222988AE5A"
	in := bytes.Repeat(append([]byte{0, byte(len(body))}, body...), depth)
	stats := new(counters)
	r := &responder{hsm: nobody{}, format: DefaultFormat(), stats: stats, events: newEvents(nil, nil)}
	batch := &batch{format: r.format, limit: depth}
	var out []byte
	b.ReportAllocs()
	for n := 0; n < b.N; n += depth {
		if _, ok := batch.collect(in); !ok || batch.len() != depth {
			b.Fatal("not collected")
		}
		r.answer(context.Background(), batch)
		out, _, _ = r.replies(batch, out, 0, depth)
		r.account(batch, "")
		batch.clear()
	}
	if !bytes.HasPrefix(out, []byte("\x00\x10HEADWB0000000000")) {
		b.Fatalf("reply %q", out[:18])
	}
}
