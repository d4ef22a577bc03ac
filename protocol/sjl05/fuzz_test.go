package sjl05_test

import (
	"bytes"
	"errors"
	"testing"

	"pbochsm/mac"
	"pbochsm/mac/lanes"
	"pbochsm/protocol"
	"pbochsm/protocol/sjl05"
)

// FuzzRequest cuts and answers any bytes. What is cut is within the limit and
// grows with what has come; a reply is either the documented length for its
// command, or a refusal; and a key without the right gives nothing away.
func FuzzRequest(f *testing.F) {
	for _, request := range []string{
		"B061" + echo + "0001" + card,
		"B080" + echo + "01 0001" + card + session + zeroIV + mac2Text,
		"B081" + echo + "01 0001" + card + session + zeroIV + "A3743BDA" + mac1Text,
		"B083" + echo + "00 0001" + card + zeroIV + mac1Text,
		"B084" + echo + "01 0003" + card + zeroIV + "A3743BDA" + mac1Text,
		"B091" + echo + "0001" + card + "0008 0102030405060708",
		"B092" + echo + "0003" + card + "0008 0102030405060708",
		"B0FF" + echo,
	} {
		f.Add(unhex(f, request))
	}
	d, err := sjl05.New(sjl05.Settings{})
	if err != nil {
		f.Fatal(err)
	}
	hsm := mac.NewEngine(keys(f), lanes.New())
	const limit = 1024
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := d.Need(b, limit)
		if n > limit {
			t.Fatalf("needs %d bytes", n)
		}
		for i := range b {
			if before, _ := d.Need(b[:i], limit); err == nil && (before > n || i < n && before <= i) {
				t.Fatalf("needs %d bytes of %d, %d of all", before, i, n)
			}
		}
		if err != nil {
			if !errors.Is(err, protocol.ErrCommand) && !errors.Is(err, protocol.ErrLength) {
				t.Fatalf("cannot be cut: %v", err)
			}
			return
		}
		if n > len(b) {
			return
		}
		ops := make([]mac.Op, 1)
		command, err := d.Decode(b[:n], &ops[0])
		if err == nil {
			if err := hsm.Do(t.Context(), ops); err != nil {
				t.Fatal(err)
			}
			err = ops[0].Err
		}
		reply := d.Append(nil, b[:n], &ops[0], err)
		if !bytes.Equal(reply[1:9], b[2:10]) {
			t.Fatalf("echoes %X for %X", reply[1:9], b[2:10])
		}
		longest := map[string]int{"B061": 16, "B080": 8, "B081": 0, "B083": 8, "B084": 0, "B091": n, "B092": n}
		switch {
		case err != nil && (reply[0] != 'E' || len(reply) != 10 || reply[9] == 0):
			t.Fatalf("a refusal is %X", reply)
		case err == nil && (reply[0] != 'A' || len(reply)-9 > longest[d.Commands()[command-1]]):
			t.Fatalf("an answer of %d bytes to %s", len(reply), d.Commands()[command-1])
		case err == nil && ops[0].Raw().Index != 1 && ops[0].Raw().Index != 2:
			t.Fatalf("the key at %d answers", ops[0].Raw().Index)
		}
	})
}
