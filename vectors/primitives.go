package vectors

// A Primitive is a published example of the arithmetic below a transaction,
// with nothing in it but keys and blocks. All values are in hexadecimal.
type Primitive struct {
	ID      string   `json:"id"`
	Kind    string   `json:"kind"`
	Comment string   `json:"comment"`
	Source  string   `json:"source"`
	Key     string   `json:"key"`
	Factors []string `json:"factors,omitempty"` // of a diversification, outermost first
	IV      string   `json:"iv,omitempty"`      // of a MAC; absent: zeros
	In      string   `json:"in,omitempty"`
	Out     string   `json:"out"` // of a MAC: its leftmost bytes
}

// Kinds of primitives. E3 is two-key 3DES. See [PBOC] 1, 2 and 3.
const (
	PrimitiveDES        = "des"         // DES of whole blocks, ECB
	PrimitiveE3         = "e3"          // E3 of whole blocks, ECB
	PrimitiveDiversify  = "diversify"   // factors lead from a key to a card's
	PrimitiveSessionKey = "session-key" // E3 of random, counter and 8000 or serial
	PrimitiveTACKey     = "tac-key"     // the halves XORed
	PrimitiveMAC        = "mac"         // single-DES CBC of In, padded with 80
)

// Primitives gives all of them.
func Primitives() []Primitive {
	var f struct {
		Comment    string      `json:"comment"`
		Primitives []Primitive `json:"primitives"`
	}
	err := decodeFile(primitivesFile, &f)
	return must(f.Primitives, err)
}
