package explain

import (
	"fmt"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// An Explanation is one operation with every value on the way to its answer.
// All values are hexadecimal digits.
type Explanation struct {
	Operation string    `json:"operation"`
	Key       string    `json:"key"` // set/usage/version/algorithm
	Cipher    string    `json:"cipher,omitempty"`
	Profile   string    `json:"profile"`
	Hidden    bool      `json:"hidden"`           // the keys are not for showing
	Verdict   Verdict   `json:"verdict"`          //
	Reason    string    `json:"reason,omitempty"` // of a refusal
	Keys      []Key     `json:"keys"`
	Messages  []Message `json:"messages"`
	Command   string    `json:"command,omitempty"` // what an issuer script makes
	Mistakes  []Finding `json:"mistakes,omitempty"`
	Notes     []string  `json:"notes,omitempty"`

	err error
}

// A Verdict is what an Engine says to the operation.
type Verdict string

// Verdicts.
const (
	Holds    Verdict = "holds"    // the MAC or TAC that is claimed is right
	Made     Verdict = "made"     // nothing was claimed, and the answer is made
	Mismatch Verdict = "mismatch" // what is claimed or expected is not what comes out
	Refused  Verdict = "refused"  // for another reason, which Reason tells
)

// A Key is one of those on the way from the issuer's key to the one that MACs.
type Key struct {
	Name  string `json:"name"`
	From  []Part `json:"from,omitempty"`  // what it is derived with
	Data  string `json:"data,omitempty"`  // the same as one block, padded
	Bytes string `json:"bytes,omitempty"` // of a test key
	KCV   string `json:"kcv,omitempty"`   // 校验值
}

// A Message is what one MAC covers, or one encipherment, block by block.
type Message struct {
	Name   string  `json:"name"` // of the field that it ends in, as "mac1"
	Role   Role    `json:"role"`
	Under  string  `json:"under"` // the name of the key
	Input  []Part  `json:"input"`
	IV     string  `json:"iv,omitempty"`
	Blocks []Block `json:"blocks"`
	Result string  `json:"result,omitempty"` // what comes out, where it may be shown
	Given  string  `json:"given,omitempty"`  // what was claimed or expected
	Right  *bool   `json:"right,omitempty"`  // whether they are the same
}

// A Role is what becomes of a message.
type Role string

// Roles.
const (
	Checked    Role = "checked"    // the card's MAC over it is compared
	Answered   Role = "answered"   // its MAC is the answer
	Enciphered Role = "enciphered" // it is enciphered
)

// A Part is a field within an input.
type Part struct {
	Name    string `json:"name"`
	Chinese string `json:"chinese,omitempty"`
	Bytes   string `json:"bytes"`
}

// A Block is one block of a message, and what the chain is after it.
type Block struct {
	Data  string `json:"data"`
	Chain string `json:"chain,omitempty"`
}

// A Finding is a mistake whose MAC fits.
type Finding struct {
	Mistake string `json:"mistake"`         // from a closed list, as "type"
	Text    string `json:"text"`            // what the other side computes
	Mend    string `json:"mend"`            // what to do about it
	Flags   string `json:"flags,omitempty"` // with these in place of what was said, it fits
}

// Err is nil where the verdict is Holds or Made, the error of the Engine where
// it refuses, and one that wraps mac.ErrVerify where a MAC is wrong.
func (x *Explanation) Err() error { return x.err }

// hidden stands for a value that is not shown.
const hidden = "(hidden)"

func hexadecimal(b []byte) string { return fmt.Sprintf("%X", b) }

// partOf shows a field of op. What is the card holder's or the issuer's is
// shown with test keys alone.
func partOf(f mac.Field, op *mac.Op, open bool) Part {
	p := Part{Name: f.String(), Chinese: f.Chinese(), Bytes: hexadecimal(f.Bytes(op))}
	if f.Confidential() && !open {
		p.Bytes = hidden
	}
	return p
}

func partsOf(fields []mac.Field, op *mac.Op, open bool) []Part {
	parts := make([]Part, 0, len(fields))
	for _, f := range fields {
		if len(f.Bytes(op)) > 0 {
			parts = append(parts, partOf(f, op, open))
		}
	}
	return parts
}

// cut makes blocks of padded data, with the chain beside them.
func cut(data []byte, chain [][]byte, size int, open bool) []Block {
	var blocks []Block
	for ; len(data) >= size; data = data[size:] {
		b := Block{Data: hexadecimal(data[:size])}
		if open && len(blocks) < len(chain) {
			b.Chain = hexadecimal(chain[len(blocks)])
		}
		blocks = append(blocks, b)
	}
	return blocks
}

func blockSize(c keystore.Cipher) int {
	if c == keystore.CipherSM4 {
		return 16
	}
	return 8
}
