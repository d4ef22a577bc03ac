package vectors_test

import (
	"strings"

	"pbochsm/keystore"
	"pbochsm/vectors"
)

// A formula is an operation for the openssl command. A word is a field by its
// name, or digits as they are.
type formula struct {
	usage   keystore.Usage
	fixed   string // the type, where it is no field
	session string // empty: the TAC key is folded
	claim   string // the field that is claimed
	claimed string
	made    string
}

// formulas are spelt a third time here, beside package mac and vectors/gen: a
// slip must be made three times to go unnoticed.
var formulas = map[string]formula{
	"load": {
		usage: keystore.UsageLoad, session: "random online-counter 80 00",
		claim: "mac1", claimed: "balance amount type terminal", made: "amount type terminal date time",
	},
	"load-tac": {
		usage: keystore.UsageTAC,
		claim: "tac", claimed: "new-balance online-counter amount type terminal date time",
	},
	"unload": {
		usage: keystore.UsageUnload, fixed: "03", session: "random online-counter 80 00",
		claim: "mac1", claimed: "balance amount type terminal", made: "amount type terminal date time",
	},
	"unload-mac3": {
		usage: keystore.UsageUnload, fixed: "03", session: "random online-counter 80 00",
		claim: "mac3", claimed: "new-balance online-counter amount type terminal date time",
	},
	"purchase": {
		usage: keystore.UsagePurchase, session: "random offline-counter terminal-serial:2",
		made: "amount type terminal date time",
	},
	"purchase-mac2": {
		usage: keystore.UsagePurchase, session: "random offline-counter terminal-serial:2",
		claim: "mac2", claimed: "amount",
	},
	"purchase-tac": {
		usage: keystore.UsageTAC,
		claim: "tac", claimed: "amount type terminal terminal-serial date time",
	},
}

// concat spells words as hexadecimal digits.
func (f formula) concat(words string, v vectors.Vector) string {
	var s strings.Builder
	for _, word := range strings.Fields(words) {
		switch value, ok := v.Fields[word]; {
		case ok:
			s.WriteString(value)
		case word == "type":
			s.WriteString(f.fixed)
		case word == "terminal-serial:2":
			s.WriteString(v.Fields["terminal-serial"][4:])
		default:
			s.WriteString(word)
		}
	}
	return s.String()
}
