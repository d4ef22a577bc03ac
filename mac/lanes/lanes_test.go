package lanes_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/cpu"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/lanes"
	"pbochsm/mac/reference"
)

// snapshot makes a snapshot of 3DES keys.
func snapshot(t testing.TB, secrets ...keystore.Secret) *keystore.Snapshot {
	t.Helper()
	entries := make([]keystore.Entry, len(secrets))
	for i := range secrets {
		entries[i].Ref = keystore.Ref{Set: byte(i), Usage: keystore.UsageTAC, Version: 1}
		entries[i].Cipher = keystore.Cipher3DES
		entries[i].State = keystore.StateActive
		entries[i].Secret = secrets[i]
	}
	s, err := keystore.NewSnapshot(keystore.ModeTest, 1, keystore.KCV{}, entries)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A source draws keys and chains.
type source struct{ *rand.Rand }

func newSource(seed uint64) source { return source{rand.New(rand.NewPCG(seed, 64))} }

func (s source) fill(b []byte) {
	for i := range b {
		b[i] = byte(s.Uint32())
	}
}

func (s source) secrets(n int) []keystore.Secret {
	secrets := make([]keystore.Secret, n)
	for i := range secrets {
		s.fill(secrets[i][:])
	}
	return secrets
}

// chain draws a chain of any shape, with data also where the shape has no use
// for them.
func (s source) chain(keys int) (c mac.Chain) {
	c.Key = keystore.Handle(s.IntN(keys))
	c.Levels = uint8(s.IntN(keystore.MaxLevels + 1))
	c.Final = mac.FinalSession + mac.Final(s.IntN(3))
	for i := range c.Factors {
		s.fill(c.Factors[i][:])
	}
	s.fill(c.Data[:])
	s.fill(c.Lock[:])
	for i := range c.Message {
		c.Message[i].Blocks = uint8(s.IntN(mac.MaxBlocks + 1))
		s.fill(c.Message[i].Data[:])
	}
	return c
}

// batch draws n chains, under one key or several, of one shape or several.
func (s source) batch(n, keys int) []mac.Chain {
	chains := make([]mac.Chain, n)
	sameKey, sameShape, one := s.IntN(2) == 0, s.IntN(2) == 0, s.chain(keys)
	for i := range chains {
		c := s.chain(keys)
		if sameKey {
			c.Key = one.Key
		}
		if sameShape {
			c.Levels, c.Final = one.Levels, one.Final
			for m := range c.Message {
				c.Message[m].Blocks = one.Message[m].Blocks
			}
		}
		chains[i] = c
	}
	return chains
}

// eachWidth runs a test on every core that this processor has.
func eachWidth(t *testing.T, test func(t *testing.T, b *lanes.Backend, width int)) {
	t.Helper()
	for _, width := range lanes.Widths() {
		b, err := lanes.NewWidth(width)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(fmt.Sprint(width), func(t *testing.T) { test(t, b, width) })
	}
}

// What the operating system says of the processor decides which cores must
// have been tested.
func TestEveryCoreOfThisProcessorIsTested(t *testing.T) {
	avx2, avx512, vbmi := cpu.X86.HasAVX2, cpu.X86.HasAVX512F, cpu.X86.HasAVX512VBMI
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil && runtime.GOARCH == "amd64" {
		flags := strings.Fields(string(text))
		avx2, avx512, vbmi = slices.Contains(flags, "avx2"), slices.Contains(flags, "avx512f"), slices.Contains(flags, "avx512vbmi")
	}
	var want []int
	if vbmi {
		want = append(want, 8)
	}
	want = append(want, 64)
	if avx2 {
		want = append(want, 256)
	}
	if avx512 {
		want = append(want, 512)
	}
	var tested []int
	eachWidth(t, func(t *testing.T, b *lanes.Backend, width int) {
		s := newSource(12)
		agree(t, b, snapshot(t, s.secrets(2)...), s.batch(width, 2))
		tested = append(tested, width)
	})
	if !slices.Equal(tested, want) {
		t.Errorf("tested the cores of %v lanes, the processor has %v", tested, want)
	}
}

func TestNewWidthRefusesOthers(t *testing.T) {
	for _, width := range []int{0, 1, 128, 1024} {
		if b, err := lanes.NewWidth(width); err == nil {
			t.Errorf("NewWidth(%d) = %v", width, b)
		}
	}
}

// Group sizes at which the work is arranged in another way.
func TestAgreesAtEverySize(t *testing.T) {
	eachWidth(t, func(t *testing.T, b *lanes.Backend, width int) {
		s := newSource(2)
		snap := snapshot(t, s.secrets(3)...)
		for n := range 3*64 + 2 {
			agree(t, b, snap, s.batch(n, 3))
		}
		for _, edge := range []int{width / 2, width, 2 * width, 3 * width} {
			for n := max(edge-2, 0); n < edge+3; n++ {
				agree(t, b, snap, s.batch(n, 3))
			}
		}
	})
}

// Every shape alone, every shape beside every other, and both in a full group.
func TestAgreesOnEveryPairOfShapes(t *testing.T) {
	eachWidth(t, func(t *testing.T, b *lanes.Backend, width int) {
		s := newSource(3)
		snap := snapshot(t, s.secrets(2)...)
		shapes := s.shapes(2)
		for i := range shapes {
			for j := range shapes {
				agree(t, b, snap, []mac.Chain{shapes[i], shapes[j]})
			}
			full := make([]mac.Chain, width)
			for j := range full {
				full[j] = shapes[i]
			}
			full[s.IntN(width)] = shapes[s.IntN(len(shapes))]
			agree(t, b, snap, full)
		}
	})
}

// shapes draws a chain of each shape.
func (s source) shapes(keys int) (shapes []mac.Chain) {
	for levels := range uint8(keystore.MaxLevels + 1) {
		for _, final := range []mac.Final{mac.FinalSession, mac.FinalTAC} {
			for blocks := range uint8(mac.MaxBlocks + 1) {
				c := s.chain(keys)
				c.Levels, c.Final = levels, final
				c.Message[0].Blocks, c.Message[1].Blocks = blocks, uint8(s.IntN(mac.MaxBlocks+1))
				shapes = append(shapes, c)
			}
		}
	}
	return shapes
}

// A chain without levels under a TAC key whose right half is zero is plain
// DES. The examples are those that NBS Special Publication 500-20 checks the
// S-boxes with; each goes into a lane of its own.
func TestKnownAnswers(t *testing.T) {
	examples := []struct{ key, plain, cipher uint64 }{
		{0x7CA110454A1A6E57, 0x01A1D6D039776742, 0x690F5B0D9A26939B},
		{0x0131D9619DC1376E, 0x5CD54CA83DEF57DA, 0x7A389D10354BD271},
		{0x07A1133E4A0B2686, 0x0248D43806F67172, 0x868EBB51CAB4599A},
		{0x3849674C2602319E, 0x51454B582DDF440A, 0x7178876E01F19B2A},
		{0x04B915BA43FEB5B6, 0x42FD443059577FA2, 0xAF37FB421F8C4095},
		{0x0113B970FD34F2CE, 0x059B5E0851CF143A, 0x86A560F10EC6D85B},
		{0x0170F175468FB5E6, 0x0756D8E0774761D2, 0x0CD3DA020021DC09},
		{0x43297FAD38E373FE, 0x762514B829BF486A, 0xEA676B2CB7DB2B7A},
		{0x07A7137045DA2A16, 0x3BDD119049372802, 0xDFD64A815CAF1A0F},
		{0x04689104C2FD3B2F, 0x26955F6835AF609A, 0x5C513C9C4886C088},
		{0x37D06BB516CB7546, 0x164D5E404F275232, 0x0A2AEEAE3FF4AB77},
		{0x1F08260D1AC2465E, 0x6B056E18759F5CCA, 0xEF1BF03E5DFA575A},
		{0x584023641ABA6176, 0x004BD6EF09176062, 0x88BF0DB6D70DEE56},
		{0x025816164629B007, 0x480D39006EE762F2, 0xA1F9915541020B56},
		{0x49793EBC79B3258F, 0x437540C8698F3CFA, 0x6FBF1CAFCFFD0556},
		{0x4FB05E1515AB73A7, 0x072D43A077075292, 0x2F22E49BAB7CA1AC},
		{0x49E95D6D4CA229BF, 0x02FE55778117F12A, 0x5A6B612CC26CCE4A},
		{0x018310DC409B26D6, 0x1D9D5C5018F728C2, 0x5F4C038ED12B2E41},
		{0x1C587F1C13924FEF, 0x305532286D6F295A, 0x63FAC0D034D9F793},
	}
	secrets, chains := make([]keystore.Secret, len(examples)), make([]mac.Chain, len(examples))
	for i, e := range examples {
		binary.BigEndian.PutUint64(secrets[i][:8], e.key)
		chains[i] = mac.Chain{Key: keystore.Handle(i), Final: mac.FinalTAC}
		chains[i].Message[0].Blocks = 1
		binary.BigEndian.PutUint64(chains[i].Message[0].Data[:8], e.plain)
	}
	snap := snapshot(t, secrets...)
	check := func(t *testing.T, b mac.Backend) {
		got := append([]mac.Chain(nil), chains...)
		if err := b.Run(context.Background(), snap, got); err != nil {
			t.Fatal(err)
		}
		for i, e := range examples {
			if c := binary.BigEndian.Uint64(got[i].MAC[0][:]); c != e.cipher {
				t.Errorf("DES(%016X, %016X) = %016X, want %016X", e.key, e.plain, c, e.cipher)
			}
		}
	}
	t.Run("reference", func(t *testing.T) { check(t, reference.Backend{}) })
	eachWidth(t, func(t *testing.T, b *lanes.Backend, _ int) { check(t, b) })
}
