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
		if _, ok := batch.collect(in, 0); !ok || batch.len() != depth {
			b.Fatal("not collected")
		}
		r.answer(context.Background(), batch, 0, depth)
		out, _ = r.replies(batch, out[:0], 0, depth)
		r.account(batch, 0, depth, "")
		batch.clear()
	}
	if !bytes.HasPrefix(out, []byte("\x00\x10HEADWB0000000000")) {
		b.Fatalf("reply %q", out[:18])
	}
}

// What a batch leaves behind is nothing, neither in its length nor beyond it.
func TestBatchForgets(t *testing.T) {
	body := "HEADWK010100011223344000000000001000010002988AE5A"
	in := bytes.Repeat(append([]byte{0, byte(len(body))}, body...), 3)
	b := &batch{format: DefaultFormat(), limit: 10}
	if _, ok := b.collect(in, 0); !ok || b.len() != 3 || len(b.ops) != 3 {
		t.Fatalf("%d requests, %d ops: %v", b.len(), len(b.ops), b.requests[0].err)
	}
	b.clear()
	for i, op := range b.ops[:cap(b.ops)] {
		if op != (mac.Op{}) {
			t.Errorf("op %d is still there", i)
		}
	}
	for i, r := range b.requests[:cap(b.requests)] {
		if r.frame != nil || r.err != nil {
			t.Errorf("request %d is still there", i)
		}
	}
}
