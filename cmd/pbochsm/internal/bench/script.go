package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/vectors"
)

// A scribe runs chains with the readable arithmetic and notes what it made.
type scribe struct{ made [][2][8]byte }

// Run fills in and notes the MACs of chains.
func (s *scribe) Run(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
	err := reference.Backend{}.Run(ctx, keys, chains)
	for i := range chains {
		s.made = append(s.made, chains[i].MAC)
	}
	return err
}

// An exam is operations and what is right about them.
type exam struct {
	live *keystore.Live
	ops  []mac.Op
	made [][2][8]byte // the MAC that each must claim, and the one it is answered with
}

// newExam makes n operations of kind k of as many cards, with a published key
// of one level, and their right MACs.
func newExam(ctx context.Context, k mac.Kind, usage keystore.Usage, n int) (*exam, error) {
	return newExamIn(ctx, keystore.Cipher3DES, k, usage, n)
}

func newExamIn(ctx context.Context, cipher keystore.Cipher, k mac.Kind, usage keystore.Usage, n int) (*exam, error) {
	snapshot, err := vectors.Snapshot()
	if err != nil {
		return nil, err
	}
	e := &exam{live: keystore.NewLive(snapshot), ops: make([]mac.Op, n)}
	key, err := keyFor(snapshot, cipher, usage)
	if err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // measured data that are the same in every run
	for i := range e.ops {
		fill(&e.ops[i], k, key, r)
	}
	pen := new(scribe)
	if err := mac.NewEngine(e.live, pen).Do(ctx, e.ops); err != nil {
		return nil, err
	}
	if e.made = pen.made; len(e.made) != n {
		return nil, errors.New("bench: an operation that was made is refused")
	}
	for i := range e.ops {
		if f, ok := k.Claims(); ok {
			copy(f.Bytes(&e.ops[i]), e.made[i][0][:])
		}
		e.ops[i].Err, e.ops[i].Answer = nil, [4]byte{}
	}
	return e, nil
}

// keyFor is the first published key of that cipher and usage that is active and has one
// level.
func keyFor(s *keystore.Snapshot, cipher keystore.Cipher, usage keystore.Usage) (mac.KeyID, error) {
	for _, k := range s.Keys() {
		if k.Usage == usage && k.Levels == 1 && k.State == keystore.StateActive && k.Cipher == cipher {
			return mac.KeyID{Set: k.Set, Version: k.Version, Algorithm: k.Algorithm}, nil
		}
	}
	return mac.KeyID{}, fmt.Errorf("bench: no published %s key of one level for %s", cipher, usage)
}

// fill makes an operation that is all right but for its MAC.
func fill(op *mac.Op, k mac.Kind, key mac.KeyID, r *rand.Rand) {
	*op = mac.Op{Kind: k, Levels: 1, Key: key}
	binary.BigEndian.PutUint64(op.Factors[0][:], r.Uint64())
	for _, f := range k.Inputs() {
		b := f.Bytes(op)
		switch f {
		case mac.Type:
			b[0] = byte(k.Types()[0])
		case mac.Date:
			copy(b, []byte{0x20, 0x26, 0x11, 0x28})
		case mac.Time:
			copy(b, []byte{0x12, 0x34, 0x56})
		default:
			for i := range b {
				b[i] = byte(r.Uint32())
			}
		}
	}
}

// loadScripts makes n scripts of depth WA requests each, with the answers that
// must come.
func (e *exam) loadScripts(n, depth int) []Script {
	scripts := make([]Script, n)
	at := 0
	for i := range scripts {
		for range depth {
			op := &e.ops[at%len(e.ops)]
			s := &scripts[i]
			s.Requests = appendRequest(s.Requests, uint32(at), op)
			s.Replies = appendFrame(s.Replies, uint32(at), fmt.Appendf(nil, "WB00%X", e.made[at%len(e.ops)][1][:4]))
			at++
		}
	}
	return scripts
}

// appendFrame appends a frame with a header of four bytes. This is the wire as
// docs/protocol.md has it, written without the code that is measured.
func appendFrame(out []byte, header uint32, rest []byte) []byte {
	out = binary.BigEndian.AppendUint16(out, uint16(4+len(rest)))
	out = binary.BigEndian.AppendUint32(out, header)
	return append(out, rest...)
}

func appendRequest(out []byte, header uint32, op *mac.Op) []byte {
	body := fmt.Appendf(nil, "WA%02X%02X%02X%d%X", op.Key.Set, op.Key.Version, op.Key.Algorithm, op.Levels, op.Factors[0][:])
	for _, f := range op.Kind.Inputs() {
		body = fmt.Appendf(body, "%X", f.Bytes(op))
	}
	return appendFrame(out, header, body)
}

// pingScripts is a script of depth PINGs to redis-server.
func pingScripts(depth int) []Script {
	var s Script
	for range depth {
		s.Requests = append(s.Requests, "PING\r\n"...)
		s.Replies = append(s.Replies, "+PONG\r\n"...)
	}
	return []Script{s}
}
