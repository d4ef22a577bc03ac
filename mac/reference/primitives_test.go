package reference_test

import (
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"testing"

	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/vectors"
)

// computations give the output of each kind of primitive, in hexadecimal.
var computations = map[string]func(t *testing.T, p vectors.Primitive) string{
	vectors.PrimitiveDES:        computeDES,
	vectors.PrimitiveE3:         computeE3,
	vectors.PrimitiveDiversify:  computeDiversify,
	vectors.PrimitiveSessionKey: computeSessionKey,
	vectors.PrimitiveTACKey:     computeTACKey,
	vectors.PrimitiveMAC:        computeMAC,
}

// TestPublishedPrimitives computes what others have printed: manuals, articles
// and logs of real cards.
func TestPublishedPrimitives(t *testing.T) {
	seen := make(map[string]int)
	for _, p := range vectors.Primitives() {
		t.Run(p.ID, func(t *testing.T) {
			compute, ok := computations[p.Kind]
			if !ok {
				t.Fatalf("unknown kind %q", p.Kind)
			}
			if got := compute(t, p); got != p.Out {
				t.Errorf("%s gives %s, want %s (%s)", p.Kind, got, p.Out, p.Source)
			}
		})
		seen[p.Kind]++
	}
	for kind := range computations {
		if seen[kind] == 0 {
			t.Errorf("no example of %s", kind)
		}
	}
}

// computeDES sees DES through the first block of a CBC chain.
func computeDES(t *testing.T, p vectors.Primitive) (out string) {
	key, in := bytes8(t, p.Key), unhex(t, p.In)
	for ; len(in) >= 8; in = in[8:] {
		out += fmt.Sprintf("%X", reference.ChainBlocks(key, in[:8])[0])
	}
	return out
}

func computeE3(t *testing.T, p vectors.Primitive) (out string) {
	key, in := reference.Key(unhex(t, p.Key)), unhex(t, p.In)
	for ; len(in) >= 8; in = in[8:] {
		out += fmt.Sprintf("%X", key.Encrypt([8]byte(in)))
	}
	return out
}

func computeDiversify(t *testing.T, p vectors.Primitive) string {
	key := reference.Key(unhex(t, p.Key))
	for _, factor := range p.Factors {
		key = key.Diversify(mac.Factor(bytes8(t, factor)))
	}
	return fmt.Sprintf("%X", key)
}

func computeSessionKey(t *testing.T, p vectors.Primitive) string {
	return fmt.Sprintf("%X", reference.Key(unhex(t, p.Key)).SessionKey(bytes8(t, p.In)))
}

func computeTACKey(t *testing.T, p vectors.Primitive) string {
	return fmt.Sprintf("%X", reference.Key(unhex(t, p.Key)).TACKey())
}

// computeMAC has the IV added to the first block, where there is one.
func computeMAC(t *testing.T, p vectors.Primitive) string {
	padded := reference.Pad(unhex(t, p.In))
	if p.IV != "" {
		subtle.XORBytes(padded[:8], padded[:8], unhex(t, p.IV))
	}
	chain := reference.ChainBlocks(bytes8(t, p.Key), padded)
	return fmt.Sprintf("%X", chain[len(chain)-1][:4])
}

func bytes8(t *testing.T, s string) [8]byte {
	t.Helper()
	b := unhex(t, s)
	if len(b) != 8 {
		t.Fatalf("%q is not 8 bytes", s)
	}
	return [8]byte(b)
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
