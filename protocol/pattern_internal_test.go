package protocol

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// What has the pattern of its command is decoded as the scanner decodes it, and
// what the scanner refuses does not have it: with any byte in any place.
func TestPatternReadsAsTheScanner(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	tried := 0
	for i := range commands {
		for levels := range keystore.MaxLevels + 1 {
			if patterns[i+1][levels] == nil {
				continue
			}
			tried++
			text := appendOp([]byte(commands[i].code), randomOp(r, commands[i].kind, levels))
			for at := commandSize; at < len(text); at++ {
				for _, b := range []byte{text[at], '0', '9', 'a', 'F', 'g', '/', ':', '@', trailerMark, lmkMark, 0, 0xFF, byte(r.Uint32())} {
					changed := bytes.Clone(text)
					changed[at] = b
					comparePlain(t, uint8(i+1), changed)
					comparePlain(t, uint8(i+1), append(changed, bytes.Repeat([]byte{b}, 40)...)[:len(changed)])
				}
			}
			for n := commandSize; n < len(text); n++ {
				comparePlain(t, uint8(i+1), text[:n:n])
			}
		}
	}
	if tried < 50 || patterns[lookup([]byte("WA"))][1] == nil {
		t.Errorf("%d patterns", tried)
	}
}

func comparePlain(t *testing.T, command uint8, text []byte) {
	t.Helper()
	var got, want mac.Op
	n := decodePlain(&got, command, text)
	err := decodeOp(&want, commands[command-1].kind, text[commandSize:])
	switch {
	case n == 0 && got != (mac.Op{}):
		t.Fatalf("%q does not have the pattern, and leaves %+v", text, got)
	case (n == len(text)) != (err == nil):
		t.Fatalf("%q: pattern of %d bytes, scanner: %v", text, n, err)
	case err == nil && got != want:
		t.Fatalf("%q: %+v, the scanner has %+v", text, got, want)
	}
}

func randomOp(r *rand.Rand, k mac.Kind, levels int) *mac.Op {
	op := &mac.Op{Kind: k, Levels: uint8(levels), Key: mac.KeyID{Set: byte(r.Uint32()), Version: byte(r.Uint32()), Algorithm: byte(r.Uint32())}}
	for i := range levels {
		for j := range op.Factors[i] {
			op.Factors[i][j] = byte(r.Uint32())
		}
	}
	for _, f := range k.Inputs() {
		for i := range f.Bytes(op) {
			f.Bytes(op)[i] = byte(r.Uint32())
		}
	}
	return op
}

// A request that has the pattern of its command and something after it is what
// it is without, and leaves nothing behind where that is not allowed.
func TestPatternAndMore(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	text := appendOp([]byte("HEADWC"), randomOp(r, mac.KindLoadTAC, 1))
	for after, trailer := range map[string]int{"": 0, "%00": 0, "\x19abc": 4, "%00\x19abc": 4, "0": 0, "%01": 0, "\x1900": 3} {
		b := &batch{format: DefaultFormat(), limit: 1}
		frame := closeFrame(append(append([]byte{0, 0}, text...), after...), 0)
		if _, ok := b.collect(frame, 0); !ok || b.len() != 1 {
			t.Fatalf("%q: not collected", after)
		}
		q := &b.requests[0]
		refused := after == "0" || after == "%01"
		if (q.err != nil) != refused || len(q.frame)-q.trailer != trailer {
			t.Errorf("%q: %v, a trailer of %d bytes", after, q.err, len(q.frame)-q.trailer)
		}
		if refused && (len(b.ops) != 0 || b.ops[:1][0] != (mac.Op{})) {
			t.Errorf("%q: the operation is still there", after)
		}
	}
}
