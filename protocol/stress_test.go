package protocol_test

import (
	"flag"
	"io"
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
func TestSpoiledFrames(t *testing.T) { onBothPaths(t, testSpoiledFrames) }

func testSpoiledFrames(t *testing.T, newServer maker) {
	server := newServer(t)
	server.HSM, server.Rand = mac.NewEngine(newLive(t), zeros{}), new(counter)
	server.Format = protocol.Format{Header: 4, Limit: 2000}
	addr := start(t, server)

	random := rand.New(rand.NewPCG(1, 2))
	samples := samples(t)
	run := func(n int) {
		for n > 0 {
			in, count := spoiledStream(random, samples)
			checkReplies(t, in, exchange(t, addr, in, random), 4, 2000)
			n -= count
		}
	}
	run(*frames / 10)
	before := settled()
	run(*frames - *frames/10)
	if after := settled(); after > before+4<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
	eventually(t, "all connections are closed", func() bool { return server.Stats().Open == 0 })
	if n := server.Stats().Panics; n > 0 {
		t.Errorf("%d panics", n)
	}
}

// exchange sends in, in a few portions, and gives all that comes back.
func exchange(t *testing.T, addr string, in []byte, random *rand.Rand) []byte {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	for len(in) > 0 {
		n := min(len(in), 1+random.IntN(2000))
		if _, err := c.Write(in[:n]); err != nil {
			break // the server has found a broken frame
		}
		in = in[n:]
	}
	_ = c.(*net.TCPConn).CloseWrite()
	out, err := io.ReadAll(c)
	if err != nil {
		t.Fatalf("read the replies: %v", err)
	}
	return out
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
