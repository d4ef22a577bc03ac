package protocol

import (
	"sync"
	"sync/atomic"
)

// bufferSizes are the sizes of a connection's input. An idle connection has
// the smallest, which holds a request of any purse command; the largest holds
// any frame and a few hundred requests at once.
var bufferSizes = [...]int{256, 4 << 10, 16<<10 + lengthSize, largestInput}

const (
	smallest = 0
	largest  = len(bufferSizes) - 1

	// largestInput is the size of the largest.
	largestInput = maxFrame + lengthSize

	// spareLargest is how many of the largest buffers may be out to connections
	// that only read faster with them.
	spareLargest = 512
)

// A buffer is the input of a connection, of one of the sizes.
type buffer struct {
	bytes []byte
	size  int
}

// buffers lends what connections need while data are in flight.
type buffers struct {
	input   [largest + 1]sync.Pool
	lent    atomic.Int64 // of the largest
	output  sync.Pool
	batches sync.Pool
	arenas  sync.Pool
}

// sizeFor gives the smallest size that holds n bytes.
func sizeFor(n int) int {
	size := smallest
	for size < largest && bufferSizes[size] < n {
		size++
	}
	return size
}

// get lends an input buffer.
func (p *buffers) get(size int) *buffer {
	if size == largest {
		p.lent.Add(1)
	}
	if b, ok := p.input[size].Get().(*buffer); ok {
		return b
	}
	return &buffer{bytes: make([]byte, bufferSizes[size]), size: size}
}

// put takes an input buffer back, without what a client left in it.
func (p *buffers) put(b *buffer) {
	if b.size == largest {
		p.lent.Add(-1)
	}
	clear(b.bytes)
	p.input[b.size].Put(b)
}

// generous tells whether a connection may have the size for speed alone.
func (p *buffers) generous(size int) bool { return size < largest || p.lent.Load() < spareLargest }

// getOutput lends an empty buffer for replies.
func (p *buffers) getOutput() *[]byte {
	if b, ok := p.output.Get().(*[]byte); ok {
		return b
	}
	return new([]byte)
}

// putOutput takes it back, unless a reply has made it unusually large.
func (p *buffers) putOutput(b *[]byte) {
	if cap(*b) <= 2*replyRoom {
		p.output.Put(b)
	}
}

// getBatch lends an empty batch.
func (p *buffers) getBatch(f Format, limit int) *batch {
	if b, ok := p.batches.Get().(*batch); ok {
		return b
	}
	return &batch{format: f, limit: limit}
}

// putBatch takes it back.
func (p *buffers) putBatch(b *batch) {
	b.clear()
	p.batches.Put(b)
}
