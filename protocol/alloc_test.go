//go:build !race

// Under the race detector a sync.Pool loses things on purpose, so that nothing
// could be counted here.

package protocol_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"pbochsm/mac"
	"pbochsm/protocol"
)

// zeroServer answers loads whose MAC1 is zero, with an engine that has real
// keys and no arithmetic: what is measured is the way there and back.
func zeroServer(t testing.TB) *protocol.Server {
	keys := newLive(t)
	return &protocol.Server{HSM: mac.NewEngine(keys, zeros{}), Keys: keys, Rand: new(counter), Now: time.Now}
}

var (
	zeroLoad  = strings.Replace(publishedLoad, "2988AE5A", "00000000", 1)
	wrongLoad = strings.Replace(publishedLoad, "2988AE5A", "00000001", 1)
)

// zeroServers are the same on either path.
func zeroServers(newServer maker) maker {
	return func(t testing.TB) *protocol.Server {
		s := zeroServer(t)
		s.Loops = newServer(t).Loops
		return s
	}
}

// roundTrip sends a run of requests and reads the replies, into memory that is
// there already.
func roundTrip(t testing.TB, c net.Conn, requests, replies []byte) {
	if _, err := c.Write(requests); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, replies); err != nil {
		t.Fatal(err)
	}
}

// The service path of a load allocates nothing, whether it is right or wrong,
// alone or one of many, in plain and over any connection that allocates
// nothing itself. Everything is counted: the test's client allocates nothing.
func TestNoAllocationPerRequest(t *testing.T) { onBothPaths(t, testNoAllocationPerRequest) }

func testNoAllocationPerRequest(t *testing.T, newServer maker) {
	zeroServer := zeroServers(newServer)
	for _, tc := range []struct {
		name    string
		request string
		reply   string
		depth   int
	}{
		{"alone", zeroLoad, "HEADWB0000000000", 1},
		{"16 deep", zeroLoad, "HEADWB0000000000", 16},
		{"500 deep", zeroLoad, "HEADWB0000000000", 500},
		{"wrong MAC1", wrongLoad, "HEADWB01", 16},
		{"echo", "B20004ping", "HEADB300ping", 16},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := dial(t, start(t, zeroServer(t)))
			requests := bytes.Repeat(frame("HEAD", tc.request), tc.depth)
			replies := make([]byte, tc.depth*len(frame(tc.reply)))
			for range 20 { // until the buffers are there
				roundTrip(t, c, requests, replies)
			}
			if want := bytes.Repeat(frame(tc.reply), tc.depth); !bytes.Equal(replies, want) {
				t.Fatalf("replies %q", replies[:len(frame(tc.reply))])
			}
			// On a machine that stalls, a turn passes for slow, and those after it
			// are answered apart, which takes memory. It does not stall every time.
			var allocations float64
			for range 5 {
				if allocations = testing.AllocsPerRun(200, func() { roundTrip(t, c, requests, replies) }); allocations == 0 {
					break
				}
			}
			if allocations > 0 {
				t.Errorf("%v allocations for %d requests", allocations, tc.depth)
			}
		})
	}
}

// prompt is an HSM that says that it waits for nothing, and takes its time.
type prompt struct {
	mac.HSM
	says bool
}

func (p prompt) Prompt() bool { return p.says }

func (p prompt) Do(ctx context.Context, ops []mac.Op) error {
	time.Sleep(2 * time.Millisecond)
	return p.HSM.Do(ctx, ops)
}

// A turn of an HSM that waits for nothing is never taken for slow, which would
// have the turns after it answered apart.
func TestPromptIsNeverAskedApart(t *testing.T) {
	for _, says := range []bool{true, false} {
		s := zeroServer(t)
		s.Loops = 1
		s.HSM = prompt{s.HSM, says}
		c := dial(t, start(t, s))
		requests, replies := frame("HEAD", zeroLoad), make([]byte, len(frame("HEADWB0000000000")))
		for range 20 {
			roundTrip(t, c, requests, replies)
		}
		allocations := testing.AllocsPerRun(50, func() { roundTrip(t, c, requests, replies) })
		if apart := allocations > 0; apart == says && runtime.GOOS == "linux" {
			t.Errorf("an HSM of which prompt is %v: %v allocations", says, allocations)
		}
	}
}

// BenchmarkService is a load over TCP on the loopback, client included, with no
// arithmetic behind it.
func BenchmarkService(b *testing.B) {
	for _, depth := range []int{1, 16, 128} {
		b.Run(fmt.Sprintf("pipeline=%d", depth), func(b *testing.B) {
			addr := start(b, zeroServer(b))
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				c := dial(b, addr)
				requests := bytes.Repeat(frame("HEAD", zeroLoad), depth)
				replies := make([]byte, depth*len(frame("HEADWB0000000000")))
				for n := 0; pb.Next(); n++ {
					if n%depth == 0 {
						roundTrip(b, c, requests, replies)
					}
				}
			})
		})
	}
}

// BenchmarkClient is a batch of loads asked by a Client.
func BenchmarkClient(b *testing.B) {
	for _, depth := range []int{1, 1000} {
		b.Run(fmt.Sprintf("batch=%d", depth), func(b *testing.B) {
			client := newClient(b, start(b, zeroServer(b)))
			ops := make([]mac.Op, depth)
			b.ReportAllocs()
			for n := 0; n < b.N; n += depth {
				for i := range ops {
					ops[i] = sampleLoad
				}
				if err := client.Do(b.Context(), ops); err != nil || ops[0].Err != nil {
					b.Fatal(err, ops[0].Err)
				}
			}
		})
	}
}

var sampleLoad = mac.Load{
	Card: mac.Card{Key: mac.KeyID{Set: 1, Version: 1}}, Type: mac.TypeLoadED,
	Date: mac.BCDDate{0x20, 0x24, 0x02, 0x29},
}.Op()
