package digits_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pbochsm/mac/digits"
)

var decoders = map[string]func(dst, text []byte) bool{"Decode": digits.Decode, "plain": digits.Plain}

// Every single byte in every place is judged as encoding/hex judges it.
func TestDecodeIsHex(t *testing.T) {
	for width := 0; width <= 80; width += 2 {
		for at := range width {
			for b := range 256 {
				text := []byte("0123456789ABCDEFabcdef010123456789ABCDEFabcdef010123456789ABCDEFabcdef0176543210")[:width:width]
				text[at] = byte(b)
				got, want := make([]byte, width/2), make([]byte, width/2)
				_, err := hex.Decode(want, text)
				if err != nil {
					clear(want) // nothing is written
				}
				for name, decode := range decoders {
					ok := decode(got, text)
					if ok != (err == nil) || !bytes.Equal(got, want) {
						t.Fatalf("%s: %q: %x %t, want %x %v", name, text, got, ok, want, err)
					}
					clear(got)
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
		want := rapid.SliceOfN(rapid.Byte(), 0, 80).Draw(t, "bytes")
		text := []byte(hex.EncodeToString(want))
		for i := range text {
			if rapid.Bool().Draw(t, "upper") {
				text[i] = bytes.ToUpper(text[i : i+1])[0]
			}
		}
		for name, decode := range decoders {
			got := make([]byte, len(want))
			if !decode(got, text) || !bytes.Equal(got, want) {
				t.Fatalf("%s: %s became %x", name, text, got)
			}
		}
	})
}

func TestAppend(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 0, 19).Draw(t, "bytes")
		want := "before" + strings.ToUpper(hex.EncodeToString(b))
		if got := digits.Append([]byte("before"), b); string(got) != want {
			t.Fatalf("%x became %s, want %s", b, got, want)
		}
	})
	for b := range 256 {
		if got, want := digits.Append(nil, []byte{byte(b), 0, byte(b), 0xFF}), fmt.Sprintf("%02X00%02XFF", b, b); string(got) != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
