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
	lock    string // of a second step, behind which the key is that of single DES
	direct  bool   // neither session nor folding: the MAC of secure messaging, from zeros
	claim   string // the field that is claimed
	claimed string
	made    string
	script  *script
	generic bool // no card's: see generic_test.go
}

// A script is a formula whose answer is a whole command.
type script struct {
	header, body string
	kind         string // "sm", "reload", "reload with header", "response"
	enciphered   string // "yes", "asked" or ""
	padAligned   bool
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
	"overdraft": {
		usage: keystore.UsageOverdraft, fixed: "07", session: "random online-counter 80 00",
		claim: "mac1", claimed: "balance limit type terminal", made: "new-limit type terminal date time",
	},
	"overdraft-tac": {
		usage: keystore.UsageTAC, fixed: "07",
		claim: "tac", claimed: "new-balance online-counter new-limit type terminal date time",
	},
	"lock": {
		usage: keystore.UsagePurchase, session: "random offline-counter terminal-serial:2", lock: "terminal-random 80 000000",
		made: "type terminal date time",
	},
	"lock-mac2": {
		usage: keystore.UsagePurchase, session: "random offline-counter terminal-serial:2", lock: "terminal-random 80 000000",
		claim: "mac2", claimed: "balance offline-counter",
	},
	"lock-tac": {
		usage: keystore.UsageTAC,
		claim: "tac", claimed: "amount type terminal terminal-serial date time",
	},
	"lock-debit": {
		usage: keystore.UsagePurchase, session: "random offline-counter terminal-serial:2", lock: "terminal-random 80 000000",
		claim: "mac2", claimed: "balance offline-counter", made: "amount",
	},
	"unlock": {
		usage: keystore.UsageUnlock, session: "random online-counter 80 00",
		claim: "mac1", claimed: "balance offline-counter type terminal", made: "amount type terminal date time",
	},
	"unlock-mac3": {
		usage: keystore.UsageUnlock, session: "random online-counter 80 00",
		claim: "mac3", claimed: "new-balance online-counter amount type terminal date time",
	},
	"pin-unblock":   {usage: keystore.UsagePINUnblock, script: &script{header: "8424 p1 p2", body: "pin", kind: "sm", enciphered: "yes"}},
	"pin-reload":    {usage: keystore.UsagePINReload, script: &script{header: "805E00 p2", body: "pin", kind: "reload"}},
	"app-block":     {usage: keystore.UsageMaintenance, script: &script{header: "841E00 p2", kind: "sm"}},
	"app-unblock":   {usage: keystore.UsageMaintenance, script: &script{header: "84180000", kind: "sm"}},
	"card-block":    {usage: keystore.UsageCardControl, script: &script{header: "84160000", kind: "sm"}},
	"update-binary": {usage: keystore.UsageMaintenance, script: &script{header: "04D6 p1 p2", body: "content", kind: "sm", enciphered: "asked"}},
	"update-record": {usage: keystore.UsageMaintenance, script: &script{header: "04DC p1 p2", body: "content", kind: "sm", enciphered: "asked"}},
	"external-auth": {usage: keystore.UsageAuthenticate, script: &script{header: "008200 p2", body: "challenge", kind: "response"}},
	"write-key":     {usage: keystore.UsageKeyControl, script: &script{header: "84D4 p1 p2", body: "key-header", kind: "sm", enciphered: "yes"}},
	"mac":           {usage: keystore.UsageMAC, generic: true},
	"mac-verify":    {usage: keystore.UsageMAC, generic: true},
	"internal-auth": {usage: keystore.UsageAuthenticate, claim: "response", script: &script{body: "challenge", kind: "response"}},
}

// formulaOf is the formula of a vector, as the profile of its set has it.
func formulaOf(v vectors.Vector) formula {
	f := formulas[v.Operation]
	if f.script != nil {
		copied := *f.script
		f.script = &copied
	}
	set := v.Key[:2]
	if v.Operation == "purchase" {
		if _, coded := v.Fields["auth-code"]; coded {
			f.made += " auth-code"
		}
	}
	if set == "C1" || set == "C2" {
		switch v.Operation {
		case "app-block":
			f.usage = keystore.UsageAppBlock
		case "app-unblock":
			f.usage = keystore.UsageAppUnblock
		}
	}
	if set == "C2" {
		f.turn(v.Operation)
	}
	return f
}

// turn gives every switch its other reading.
func (f *formula) turn(operation string) {
	if f.script != nil {
		f.script.padAligned = true
	}
	switch operation {
	case "overdraft-tac":
		f.direct = true
	case "unlock":
		f.usage, f.claimed = keystore.UsageUnload, "balance amount type terminal"
	case "unlock-mac3":
		f.usage = keystore.UsageUnload
	case "lock-mac2", "lock-debit":
		f.claimed = "balance offline-counter:1"
	case "pin-reload":
		f.script.kind = "reload with header"
	}
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
		case word == "pin" || word == "challenge" || word == "content":
		case word == "offline-counter:1":
			s.WriteString(v.Fields["offline-counter"][2:])
		case word == "terminal-serial:2":
			s.WriteString(v.Fields["terminal-serial"][4:])
		default:
			s.WriteString(word)
		}
	}
	return s.String()
}
