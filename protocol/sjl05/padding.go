package sjl05

import (
	"bytes"
	"fmt"
)

// A Padding says how data become whole blocks before they are MACed.
type Padding uint8

// Paddings. A padded message ends with one byte 80 and as many zeros as fill
// its block.
const (
	// PaddingAuto pads, unless the data are whole blocks that end as padded data
	// do: then a client has padded them. No input of a purse transaction that is
	// whole blocks ends so: see [SJL05].
	PaddingAuto   Padding = iota
	PaddingAlways         // pads, whatever the data end with
	PaddingNever          // takes whole blocks only, and pads nothing
)

var paddings = [...]string{"auto", "always", "never"}

// String gives the word of the configuration.
func (p Padding) String() string {
	if int(p) < len(paddings) {
		return paddings[p]
	}
	return fmt.Sprintf("%d?", uint8(p))
}

// UnmarshalText accepts the words of the configuration.
func (p *Padding) UnmarshalText(b []byte) error {
	for i, word := range paddings {
		if word == string(b) {
			*p = Padding(i)
			return nil
		}
	}
	return fmt.Errorf("unknown padding %q (one of: auto, always, never)", b)
}

const (
	block   = 8
	padMark = 0x80
)

// pad is a copy of data, padded or not.
func (p Padding) pad(data []byte) []byte {
	padded := append(make([]byte, 0, len(data)+block), data...)
	if p == PaddingNever || p == PaddingAuto && isPadded(data) {
		return padded
	}
	padded = append(padded, padMark)
	return append(padded, make([]byte, (block-len(padded)%block)%block)...)
}

// isPadded tells whether data are whole blocks of which the last ends with 80
// and zeros.
func isPadded(data []byte) bool {
	if len(data) == 0 || len(data)%block != 0 {
		return false
	}
	marked := bytes.TrimRight(data[len(data)-block:], "\x00")
	return len(marked) > 0 && marked[len(marked)-1] == padMark
}
