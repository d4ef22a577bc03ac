package digits_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"pgregory.net/rapid"

	"pbochsm/mac/digits"
)

// Every single byte in every place is judged as encoding/hex judges it.
func TestDecodeIsHex(t *testing.T) {
	for width := 0; width <= 24; width += 2 {
		for at := range width {
			for b := range 256 {
				text := []byte("0123456789ABCDEFabcdef01")[:width:width]
				text[at] = byte(b)
				got, want := make([]byte, width/2), make([]byte, width/2)
				_, err := hex.Decode(want, text)
				ok := digits.Decode(got, text)
				if ok != (err == nil) || ok && !bytes.Equal(got, want) {
					t.Fatalf("%q: %x %t, want %x %v", text, got, ok, want, err)
				}
			}
		}
	}
	if digits.Decode(make([]byte, 2), []byte("00112")) || digits.Decode(make([]byte, 2), []byte("001122")) {
		t.Error("another length is accepted")
	}
}

func TestDecodeRandomly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.Byte(), 0, 16).Draw(t, "bytes")
		text := []byte(hex.EncodeToString(want))
		for i := range text {
			if rapid.Bool().Draw(t, "upper") {
				text[i] = bytes.ToUpper(text[i : i+1])[0]
			}
		}
		got := make([]byte, len(want))
		if !digits.Decode(got, text) || !bytes.Equal(got, want) {
			t.Fatalf("%s became %x", text, got)
		}
	})
}
