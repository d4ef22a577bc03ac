package reference_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
)

func TestPad(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{"nothing", "", "8000000000000000"},
		{"a byte", "11", "1180000000000000"},
		{"one byte short of a block", "11223344556677", "1122334455667780"},
		{"a block", "1122334455667788", "11223344556677888000000000000000"},
		{"a block and a byte", "112233445566778899", "11223344556677889980000000000000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := unhex(t, c.data)
			if got := fmt.Sprintf("%X", reference.Pad(data)); got != c.want {
				t.Errorf("padded to %s, want %s", got, c.want)
			}
			if got := fmt.Sprintf("%X", data); got != c.data {
				t.Errorf("the data became %s", got)
			}
		})
	}
}

// TestPadLeavesWhatFollows holds that padding a part of a buffer does not
// write into the rest.
func TestPadLeavesWhatFollows(t *testing.T) {
	buffer := []byte{1, 2, 3}
	reference.Pad(buffer[:2])
	if buffer[2] != 3 {
		t.Errorf("the byte after the data became %d", buffer[2])
	}
}

// TestWeakKeys holds that keys which a cautious library might refuse work:
// cards are delivered with them. See [PBOC] 2 and 3.6.
func TestWeakKeys(t *testing.T) {
	ones := reference.Key(unhex(t, "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"))
	if got := ones.TACKey(); got != [8]byte{} {
		t.Errorf("equal halves fold to %X, want zeros", got)
	}
	if got := ones.KCV().String(); got != "CAAAAF" {
		t.Errorf("check value %s, want CAAAAF", got)
	}
	if got := len(reference.ChainBlocks([8]byte{}, make([]byte, 16))); got != 2 {
		t.Errorf("a chain of %d blocks under a key of zeros, want 2", got)
	}
}

// articleChain is the load that a published walk-through prints
// (blog.csdn.net/slj_win 42240855), as arithmetic.
func articleChain(t *testing.T) (reference.Key, mac.Chain) {
	c := mac.Chain{Final: mac.FinalSession, Data: [8]byte(unhex(t, "1122334400008000"))}
	c.Message[0].Blocks = 2
	copy(c.Message[0].Data[:], unhex(t, "000000000000100001001122334455"+"80"))
	c.Message[1].Blocks = 3
	copy(c.Message[1].Data[:], unhex(t, "0000100001001122334455"+"20111221214822"+"80"))
	return reference.Key(unhex(t, "11223344556677888877665544332211")), c
}

func TestTraceTellsEveryStep(t *testing.T) {
	key, c := articleChain(t)
	trace := reference.Run(keystore.Cipher3DES, key, &c)
	if len(trace.Keys) != 1 || trace.Keys[0] != key {
		t.Errorf("keys %X, want the card's own alone", trace.Keys)
	}
	if got := fmt.Sprintf("%X", trace.Final); got != "9B1D924E05595603" {
		t.Errorf("session key %s, want 9B1D924E05595603", got)
	}
	for m, want := range []string{"2988AE5A", "3A845BF0"} {
		blocks := trace.Blocks[m]
		if len(blocks) != int(c.Message[m].Blocks) {
			t.Fatalf("message %d: a chain of %d blocks, want %d", m, len(blocks), c.Message[m].Blocks)
		}
		if got := fmt.Sprintf("%X", blocks[len(blocks)-1][:4]); got != want {
			t.Errorf("MAC%d = %s, want %s", m+1, got, want)
		}
	}
}

// TestTraceOfLevels takes the published diversification as the second of two
// levels: the key before it is in the trace, too.
func TestTraceOfLevels(t *testing.T) {
	master := reference.Key(unhex(t, "00112233445566778899AABBCCDDEEFF"))
	first, second := mac.Factor{0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88}, mac.Factor{1}
	trace := reference.Run(keystore.Cipher3DES, master, &mac.Chain{Levels: 2, Factors: [keystore.MaxLevels]mac.Factor{first, second}, Final: mac.FinalTAC})
	if len(trace.Keys) != 3 {
		t.Fatalf("%d keys, want 3", len(trace.Keys))
	}
	if got := fmt.Sprintf("%X", trace.Keys[1]); got != "496BD7A3513644533100B54E71196528" {
		t.Errorf("first level %s, want 496BD7A3513644533100B54E71196528", got)
	}
	if trace.Keys[2] != trace.Keys[1].Diversify(second) || [8]byte(trace.Final) != trace.Keys[2].TACKey() {
		t.Error("the second level does not follow from the first")
	}
}

// snapshot holds one key at handle 0.
func snapshot(t *testing.T, key reference.Key) *keystore.Snapshot {
	t.Helper()
	s, err := keystore.NewSnapshot(keystore.ModeTest, 1, keystore.KCV{}, []keystore.Entry{{
		Key: keystore.Key{
			Ref:    keystore.Ref{Set: 1, Usage: keystore.UsageLoad},
			Cipher: keystore.Cipher3DES, State: keystore.StateActive,
		},
		Secret: keystore.Secret(key),
	}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestBackendFillsInTheLastBlocks(t *testing.T) {
	key, c := articleChain(t)
	alone := c
	alone.Message[1] = mac.Message{}
	chains := []mac.Chain{c, alone}
	if err := (reference.Backend{}).Run(context.Background(), snapshot(t, key), chains); err != nil {
		t.Fatal(err)
	}
	trace := reference.Run(keystore.Cipher3DES, key, &c)
	for m, blocks := range trace.Blocks {
		if !bytes.Equal(chains[0].MAC[m][:], blocks[len(blocks)-1]) {
			t.Errorf("MAC[%d] = %X, want %X", m, chains[0].MAC[m], blocks[len(blocks)-1])
		}
	}
	if chains[1].MAC[0] != chains[0].MAC[0] || chains[1].MAC[1] != [8]byte{} {
		t.Errorf("with one message: %X, want a MAC of that one alone", chains[1].MAC)
	}
}

func TestBackendStopsWhenCancelled(t *testing.T) {
	key, c := articleChain(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := (reference.Backend{}).Run(ctx, snapshot(t, key), []mac.Chain{c}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}
