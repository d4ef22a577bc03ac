package main

import (
	"encoding/hex"
	"fmt"
	"maps"
	"strings"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/vectors"
)

// A recipe is an operation in the words of [PBOC] 5 and 6. An input is a list
// of words: a field by its name, or hexadecimal digits as they are.
type recipe struct {
	operation string
	usage     string
	types     []string // values of the field "type"
	fixed     string   // the type, where it is no field
	session   string   // input of the session key; empty: the TAC key
	lock      string   // input of the second step of a grey lock's key
	direct    bool     // the TAC key as it is, by the MAC of secure messaging
	claim     string   // the field that holds the MAC claimed, if any
	claimed   string   // input of the MAC claimed
	made      string   // input of the MAC made, if any
	command   *command // of an issuer script
}

// A command is what an issuer script makes. See [PBOC] 6.
type command struct {
	header  string // CLA INS P1 P2
	body    string
	form    form
	cipher  string // "always", "asked" by the field enciphered, or not
	aligned bool   // a block of padding after aligned data
}

// A form is how a command is protected.
type form int

const (
	messaging form = iota
	reload         // MAC over the PIN alone
	reloadAll      // MAC over header and PIN
	response       // a challenge, enciphered
)

const (
	online  = "random online-counter 8000"
	offline = "random offline-counter serial-low"
)

// recipes are those of the profile plain.
var recipes = []recipe{
	// [PBOC] 5.1
	{
		operation: "load", usage: "load", types: []string{"01", "02"}, session: online,
		claim: "mac1", claimed: "balance amount type terminal", made: "amount type terminal date time",
	},
	{
		operation: "load-tac", usage: "tac", types: []string{"01", "02"},
		claim: "tac", claimed: "new-balance online-counter amount type terminal date time",
	},
	// [PBOC] 5.5
	{
		operation: "unload", usage: "unload", fixed: "03", session: online,
		claim: "mac1", claimed: "balance amount type terminal", made: "amount type terminal date time",
	},
	{
		operation: "unload-mac3", usage: "unload", fixed: "03", session: online,
		claim: "mac3", claimed: "new-balance online-counter amount type terminal date time",
	},
	// [PBOC] 5.2, 5.3, 5.4
	{
		operation: "purchase", usage: "purchase", types: []string{"05", "06", "04", "09"}, session: offline,
		made: "amount type terminal date time",
	},
	{
		operation: "purchase-mac2", usage: "purchase", session: offline,
		claim: "mac2", claimed: "amount",
	},
	{
		operation: "purchase-tac", usage: "tac", types: []string{"05", "06", "04", "09"},
		claim: "tac", claimed: "amount type terminal terminal-serial date time",
	},
	// [PBOC] 5.6
	{
		operation: "overdraft", usage: "overdraft", fixed: "07", session: online,
		claim: "mac1", claimed: "balance limit type terminal", made: "new-limit type terminal date time",
	},
	{
		operation: "overdraft-tac", usage: "tac", fixed: "07",
		claim: "tac", claimed: "new-balance online-counter new-limit type terminal date time",
	},
	// [PBOC] 5.7
	{
		operation: "lock", usage: "purchase", types: []string{"91", "92"}, session: offline, lock: "terminal-random 80000000",
		made: "type terminal date time",
	},
	{
		operation: "lock-mac2", usage: "purchase", session: offline, lock: "terminal-random 80000000",
		claim: "mac2", claimed: "balance offline-counter",
	},
	{
		operation: "lock-tac", usage: "tac", types: []string{"91", "92", "93", "94"},
		claim: "tac", claimed: "amount type terminal terminal-serial date time",
	},
	{
		operation: "lock-debit", usage: "purchase", session: offline, lock: "terminal-random 80000000",
		claim: "mac2", claimed: "balance offline-counter", made: "amount",
	},
	{
		operation: "unlock", usage: "unlock", types: []string{"95", "96"}, session: online,
		claim: "mac1", claimed: "balance offline-counter type terminal", made: "amount type terminal date time",
	},
	{
		operation: "unlock-mac3", usage: "unlock", types: []string{"95", "96"}, session: online,
		claim: "mac3", claimed: "new-balance online-counter amount type terminal date time",
	},
	// [PBOC] 6
	{operation: "pin-unblock", usage: "pin-unblock", command: &command{header: "84 24 p1 p2", body: "pin", cipher: "always"}},
	{operation: "pin-reload", usage: "pin-reload", command: &command{header: "80 5E 00 p2", body: "pin", form: reload}},
	{operation: "app-block", usage: "maintenance", command: &command{header: "84 1E 00 p2"}},
	{operation: "app-unblock", usage: "maintenance", command: &command{header: "84 18 00 00"}},
	{operation: "card-block", usage: "card-control", command: &command{header: "84 16 00 00"}},
	{operation: "update-binary", usage: "maintenance", command: &command{header: "04 D6 p1 p2", body: "content", cipher: "asked"}},
	{operation: "update-record", usage: "maintenance", command: &command{header: "04 DC p1 p2", body: "content", cipher: "asked"}},
	{operation: "external-auth", usage: "authenticate", command: &command{header: "00 82 00 p2", body: "challenge", form: response}},
	{
		operation: "internal-auth", usage: "authenticate", claim: "response",
		command: &command{body: "challenge", form: response},
	},
	{operation: "write-key", usage: "key-control", command: &command{header: "84 D4 p1 p2", body: "key-header new-key", cipher: "always"}},
}

// recipeOf finds the recipe of a vector, in the profile of its key's set.
func recipeOf(v vectors.Vector) recipe {
	for _, r := range recipes {
		if r.operation == v.Operation {
			return r.in(v.Key[:2])
		}
	}
	panic("gen: no recipe for " + v.Operation)
}

func recipeNamed(operation string) recipe {
	return recipeOf(vectors.Vector{Operation: operation, Key: "A1"})
}

// compute fills in what v claims and what it is answered, under a key of the
// given value, and expects success.
func (r recipe) compute(v *vectors.Vector, value string) {
	a, card := r.card(v, value)
	v.Expect = vectors.Made
	if r.claim != "" {
		v.Expect = vectors.Accept
	}
	if r.command != nil {
		r.compose(v, a, card)
		return
	}
	if r.claim != "" {
		v.Fields = fields(v.Fields).with(r.claim, r.lastBlock(v, value, r.claimed)[:8])
	}
	if r.made != "" {
		v.Answer = r.lastBlock(v, value, r.made)[:8]
	}
}

// card gives the arithmetic and the card's key.
func (r recipe) card(v *vectors.Vector, value string) (reference.Arithmetic, reference.Key) {
	a := reference.Of(cipherOf(v.Key))
	key := reference.Key(unhex(value))
	for _, factor := range v.Factors {
		key = a.Diversify(key, mac.Factor(unhex(factor)))
	}
	return a, key
}

// lastBlock ends the CBC chain over words; the MAC is its left half, or its
// left quarter with SM4.
func (r recipe) lastBlock(v *vectors.Vector, value, words string) string {
	a, card := r.card(v, value)
	data := pad(r.concat(words, v.Fields), a.Block)
	var chain [][]byte
	switch {
	case r.direct:
		chain = a.Retail(card, [16]byte{}, data)
	case r.session == "":
		chain = a.MAC(a.TACKey(card), data)
	default:
		key := a.SessionKey(card, [8]byte(r.concat(r.session, v.Fields)))
		if r.lock != "" {
			key = a.LockKey(key, [8]byte(r.concat(r.lock, v.Fields)))
		}
		chain = a.MAC(key, data)
	}
	return fmt.Sprintf("%X", chain[len(chain)-1])
}

// compose makes the command, or the response that is claimed.
func (r recipe) compose(v *vectors.Vector, a reference.Arithmetic, card reference.Key) {
	c := r.command
	header, body := r.concat(c.header, v.Fields), r.concat(c.body, withNewKey(*v))
	var tail []byte
	switch c.form {
	case response:
		for len(body) == 0 || len(body)%8 != 0 {
			body = append(body, 0)
		}
		if len(body)%a.Block != 0 { // is refused
			body = append(body, body...)
		}
		body = a.Encipher(card, body)
		if r.claim != "" {
			v.Fields = fields(v.Fields).with(r.claim, fmt.Sprintf("%X", body))
			return
		}
		for i := range body[8:] {
			body[i] ^= body[8+i]
		}
		body = body[:8]
	case reload, reloadAll:
		data := body
		if c.form == reloadAll {
			data = append(append(header, byte(len(body)+4)), body...)
		}
		chain := a.MAC(a.TACKey(card), pad(data, a.Block))
		tail = chain[len(chain)-1][:4]
	case messaging:
		if c.cipher == "always" || c.cipher == "asked" && v.Fields["enciphered"] == "01" {
			body = append([]byte{byte(len(body))}, body...)
			if len(body)%a.Block != 0 || c.aligned {
				body = pad(body, a.Block)
			}
			body = a.Encipher(card, body)
		}
		var iv [16]byte
		copy(iv[:], unhex(v.Fields["challenge"]))
		chain := a.Retail(card, iv, pad(append(append(header, byte(len(body)+4)), body...), a.Block))
		tail = chain[len(chain)-1][:4]
	}
	header = r.concat(c.header, v.Fields)
	v.Answer = fmt.Sprintf("%X%02X%X%X", header, len(body)+len(tail), body, tail)
}

func pad(data []byte, block int) []byte {
	padded := append(append([]byte(nil), data...), 0x80)
	for len(padded)%block != 0 {
		padded = append(padded, 0)
	}
	return padded
}

func (r recipe) concat(words string, values fields) []byte {
	values = maps.Clone(values)
	if r.fixed != "" {
		values["type"] = r.fixed
	}
	if serial, ok := values["terminal-serial"]; ok {
		values["serial-low"] = serial[4:]
	}
	if counter, ok := values["offline-counter"]; ok {
		values["counter-low"] = counter[2:]
	}
	var text strings.Builder
	for _, word := range strings.Fields(words) {
		switch value, ok := values[word]; {
		case ok:
			word = value
		case word == "auth-code" || word == "challenge": // may be absent
			word = ""
		}
		text.WriteString(word)
	}
	return unhex(text.String())
}

// words are all that enter the answer: of what is claimed, or else of what is
// made.
func (r recipe) words() []string {
	text := r.session + " " + r.lock + " " + r.claimed
	if r.claim == "" {
		text += " " + r.made
	}
	if r.command != nil {
		text += " " + r.command.header + " " + r.command.body
		if r.command.form == messaging {
			text += " challenge"
		}
	}
	text = strings.ReplaceAll(text, "serial-low", "terminal-serial")
	return strings.Fields(strings.ReplaceAll(text, "counter-low", "offline-counter"))
}

// cipherOf is the cipher of a key by its algorithm identifier, as in the
// profiles of the vectors: 04 is SM4.
func cipherOf(key string) keystore.Cipher {
	if strings.HasSuffix(key, "/04") {
		return keystore.CipherSM4
	}
	return keystore.Cipher3DES
}

// unhex decodes what this program itself spelt.
func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(fmt.Sprintf("gen: %q: %v", s, err))
	}
	return b
}
