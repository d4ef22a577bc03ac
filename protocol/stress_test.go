package protocol_test

import (
	"context"
	"flag"
	"math/rand/v2"
	"net"
	"runtime"
	"testing"
	"time"

	"pbochsm/mac"
	"pbochsm/protocol"
)

var frames = flag.Int("frames", 100_000, "how many spoiled frames TestSpoiledFrames sends")

// Spoiled frames, millions of them if -frames says so, are answered one by one
// as FuzzFrames demands, and leave neither goroutines nor memory behind.
func TestSpoiledFrames(t *testing.T) {
	keys := newLive(t)
	server := &protocol.Server{
		HSM: mac.NewEngine(keys, zeros{}), Keys: keys, Rand: new(counter), Now: time.Now,
		Format: protocol.Format{Header: 4, Limit: 2000},
	}
	l := &streams{next: make(chan net.Conn)}
	served := make(chan error, 1)
	go func() { served <- server.Serve(context.Background(), l) }()

	random := rand.New(rand.NewPCG(1, 2))
	samples := samples(t)
	run := func(n int) {
		for n > 0 {
			in, count := spoiledStream(random, samples)
			portions := make([]byte, random.IntN(4))
			for i := range portions {
				portions[i] = byte(random.Uint32())
			}
			s := &script{in: in, portions: portions, closed: make(chan struct{})}
			l.next <- s
			<-s.closed
			checkReplies(t, in, s.out.Bytes(), 4, 2000)
			n -= count
		}
	}
	run(*frames / 10)
	before := settled()
	run(*frames - *frames/10)
	if after := settled(); after > before+4<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
	if got := server.Stats(); got.Panics > 0 || got.Open > 0 {
		t.Errorf("%d panics, %d connections open", got.Panics, got.Open)
	}
	close(l.next)
	if err := server.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	<-served // the listener has ended before it was told to
}

// settled is how much of the heap is in use after a collection.
func settled() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// samples are good requests to be spoiled.
func samples(t *testing.T) [][]byte {
	var all [][]byte
	for _, tc := range goldenCases(t) {
		if len(tc.request) < 1000 {
			all = append(all, frame(tc.request))
		}
	}
	return all
}

// spoiledStream strings together up to 40 requests, most of them changed in a
// byte or two, some in their length.
func spoiledStream(random *rand.Rand, samples [][]byte) (stream []byte, count int) {
	count = 1 + random.IntN(40)
	for range count {
		f := append([]byte(nil), samples[random.IntN(len(samples))]...)
		for range random.IntN(3) {
			f[2+random.IntN(len(f)-2)] = byte(random.Uint32())
		}
		switch random.IntN(500) {
		case 0:
			f[random.IntN(2)] ^= 1 << random.IntN(8)
		case 1:
			f = f[:random.IntN(len(f))]
		}
		stream = append(stream, f...)
	}
	return stream, count
}
