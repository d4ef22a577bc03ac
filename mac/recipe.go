package mac

import (
	"slices"

	"pbochsm/keystore"
)

// A layout is a list of fields in the order in which they are concatenated.
type layout []Field

// A recipe is a kind of operation as the standard prints it: which key, what
// the session key is formed from, what goes into each MAC. An operation checks
// a claimed MAC, or makes one, or checks one and makes another.
type recipe struct {
	name    string
	usage   keystore.Usage
	types   []TransactionType // what Type may be; the only one where it is no input
	inputs  []Field           // in the order of the wire
	session layout            // nil: the key is the folded TAC key
	claim   Field             // the MAC that is checked
	claimed layout            // its input; nil: nothing is checked
	wrong   error             // what a mismatch is called
	answer  Field             // the MAC that is made
	made    layout            // its input; nil: nothing is made
}

var (
	loads     = []TransactionType{TypeLoadED, TypeLoadEP}
	unloads   = []TransactionType{TypeUnload}
	purchases = []TransactionType{TypePurchaseED, TypePurchaseEP, TypeWithdraw}

	onlineSession  = layout{Random, OnlineCounter} // and 8000, which is the padding
	offlineSession = layout{Random, OfflineCounter, serialLow}
)

var recipes = [numKinds]recipe{
	// [PBOC] 5.1
	KindLoad: {
		name: "load", usage: keystore.UsageLoad, types: loads, session: onlineSession,
		inputs: []Field{Random, OnlineCounter, OldBalance, Amount, Type, Terminal, Date, Time, MAC1},
		claim:  MAC1, claimed: layout{OldBalance, Amount, Type, Terminal}, wrong: ErrMAC1,
		answer: MAC2, made: layout{Amount, Type, Terminal, Date, Time},
	},
	KindLoadTAC: {
		name: "load-tac", usage: keystore.UsageTAC, types: loads,
		inputs: []Field{NewBalance, OnlineCounter, Amount, Type, Terminal, Date, Time, TAC},
		claim:  TAC, claimed: layout{NewBalance, OnlineCounter, Amount, Type, Terminal, Date, Time}, wrong: ErrTAC,
	},
	// [PBOC] 5.5
	KindUnload: {
		name: "unload", usage: keystore.UsageUnload, types: unloads, session: onlineSession,
		inputs: []Field{Random, OnlineCounter, OldBalance, Amount, Terminal, Date, Time, MAC1},
		claim:  MAC1, claimed: layout{OldBalance, Amount, Type, Terminal}, wrong: ErrMAC1,
		answer: MAC2, made: layout{Amount, Type, Terminal, Date, Time},
	},
	// MAC3 is made with the session key of the unload, not with the TAC key.
	KindUnloadMAC3: {
		name: "unload-mac3", usage: keystore.UsageUnload, types: unloads, session: onlineSession,
		inputs: []Field{Random, OnlineCounter, NewBalance, Amount, Terminal, Date, Time, MAC3},
		claim:  MAC3, claimed: layout{NewBalance, OnlineCounter, Amount, Type, Terminal, Date, Time}, wrong: ErrMAC3,
	},
	// [PBOC] 5.2, 5.4
	KindPurchase: {
		name: "purchase", usage: keystore.UsagePurchase, types: purchases, session: offlineSession,
		inputs: []Field{Random, OfflineCounter, TerminalSerial, Amount, Type, Terminal, Date, Time, AuthCode},
		answer: MAC1, made: layout{Amount, Type, Terminal, Date, Time},
	},
	KindPurchaseMAC2: {
		name: "purchase-mac2", usage: keystore.UsagePurchase, types: purchases, session: offlineSession,
		inputs: []Field{Random, OfflineCounter, TerminalSerial, Amount, MAC2},
		claim:  MAC2, claimed: layout{Amount}, wrong: ErrMAC2,
	},
	KindPurchaseTAC: {
		name: "purchase-tac", usage: keystore.UsageTAC, types: purchases,
		inputs: []Field{Amount, Type, Terminal, TerminalSerial, Date, Time, TAC},
		claim:  TAC, claimed: layout{Amount, Type, Terminal, TerminalSerial, Date, Time}, wrong: ErrTAC,
	},
}

// Kinds lists all kinds.
func Kinds() []Kind {
	kinds := make([]Kind, 0, numKinds-1)
	for k := Kind(1); k < numKinds; k++ {
		kinds = append(kinds, k)
	}
	return kinds
}

// String gives the name of the operation, as commands and vectors spell it.
func (k Kind) String() string {
	if !k.known() {
		return "kind?"
	}
	return recipes[k].name
}

// Usage is the usage of the key that the operation needs.
func (k Kind) Usage() keystore.Usage { return k.recipe().usage }

// Inputs lists the fields that the operation needs, in the order of the wire.
func (k Kind) Inputs() []Field { return k.recipe().inputs }

// Types lists what Type may be in the operation.
func (k Kind) Types() []TransactionType { return slices.Clone(k.recipe().types) }

// Claims is the MAC or TAC that the operation verifies, and whether there is
// one.
func (k Kind) Claims() (Field, bool) { return k.recipe().claim, k.recipe().claimed != nil }

// Answers is the MAC that the operation makes, and whether it makes one.
func (k Kind) Answers() (Field, bool) { return k.recipe().answer, k.recipe().made != nil }

// Mismatch is the error of an operation whose claimed MAC or TAC is wrong.
func (k Kind) Mismatch() error { return k.recipe().wrong }

func (k Kind) known() bool { return k > 0 && k < numKinds }

// recipe is the recipe of k; that of an unknown kind is empty.
func (k Kind) recipe() *recipe {
	if !k.known() {
		k = 0
	}
	return &recipes[k]
}
