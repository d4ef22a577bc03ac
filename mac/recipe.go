package mac

import (
	"slices"

	"pbochsm/keystore"
)

// A layout is a list of fields in the order in which they are concatenated.
type layout []Field

// A recipe is a kind of operation as the standard prints it: which key, what
// the session key is formed from, what goes into each MAC. An operation checks
// a claimed MAC, or makes one, or checks one and makes another. An issuer
// script makes a command, which [command] describes.
type recipe struct {
	name    string
	usage   keystore.Usage
	types   []TransactionType // what Type may be; the only one where it is no input
	inputs  []Field           // in the order of the wire
	session layout            // nil: the key is the folded TAC key
	lock    layout            // of the second step of a grey lock's key; nil: there is none
	claim   Field             // the MAC that is checked
	claimed layout            // its input; nil: nothing is checked
	wrong   error             // what a mismatch is called
	answer  Field             // the MAC that is made
	made    layout            // its input; nil: nothing is made
	command *command          // of an issuer script; nil: this is none
	direct  bool              // the TAC key is not folded, and MACs as in secure messaging
	variant []variant         // what a card scheme may do otherwise
}

// A variant is the change that one reading of a switch makes to a recipe.
type variant struct {
	by      keystore.Switch
	reading uint8
	usage   keystore.Usage // 0: as it was
	claimed layout         // nil: as it was
	direct  bool           // the TAC key is not folded
}

var (
	loads     = []TransactionType{TypeLoadED, TypeLoadEP}
	unloads   = []TransactionType{TypeUnload}
	purchases = []TransactionType{TypePurchaseED, TypePurchaseEP, TypeWithdraw, TypeCompound}
	updates   = []TransactionType{TypeOverdraft}
	locks     = []TransactionType{TypeLockED, TypeLockEP}
	lockTACs  = []TransactionType{TypeLockED, TypeLockEP, TypeDebitED, TypeDebitEP}
	unlocks   = []TransactionType{TypeUnlockED, TypeUnlockEP}

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
	// [PBOC] 5.2, 5.3, 5.4
	KindPurchase: {
		name: "purchase", usage: keystore.UsagePurchase, types: purchases, session: offlineSession,
		inputs: []Field{Random, OfflineCounter, TerminalSerial, Amount, Type, Terminal, Date, Time, AuthCode},
		answer: MAC1, made: layout{Amount, Type, Terminal, Date, Time, AuthCode},
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
	// [PBOC] 5.6
	KindOverdraft: {
		name: "overdraft", usage: keystore.UsageOverdraft, types: updates, session: onlineSession,
		inputs: []Field{Random, OnlineCounter, OldBalance, OldLimit, NewLimit, Terminal, Date, Time, MAC1},
		claim:  MAC1, claimed: layout{OldBalance, OldLimit, Type, Terminal}, wrong: ErrMAC1,
		answer: MAC2, made: layout{NewLimit, Type, Terminal, Date, Time},
	},
	KindOverdraftTAC: {
		name: "overdraft-tac", usage: keystore.UsageTAC, types: updates,
		inputs: []Field{NewBalance, OnlineCounter, NewLimit, Terminal, Date, Time, TAC},
		claim:  TAC, claimed: layout{NewBalance, OnlineCounter, NewLimit, Type, Terminal, Date, Time}, wrong: ErrTAC,
		variant: []variant{{by: keystore.SwitchOverdraftTAC, reading: keystore.OverdraftDirect, direct: true}},
	},
	// [PBOC] 5.7
	KindLock: {
		name: "lock", usage: keystore.UsagePurchase, types: locks, session: offlineSession, lock: layout{TerminalRandom},
		inputs: []Field{Random, OfflineCounter, TerminalSerial, TerminalRandom, Type, Terminal, Date, Time},
		answer: MAC1, made: layout{Type, Terminal, Date, Time},
	},
	KindLockMAC2: {
		name: "lock-mac2", usage: keystore.UsagePurchase, types: locks, session: offlineSession, lock: layout{TerminalRandom},
		inputs: []Field{Random, OfflineCounter, TerminalSerial, TerminalRandom, OldBalance, MAC2},
		claim:  MAC2, claimed: layout{OldBalance, OfflineCounter}, wrong: ErrMAC2, variant: shortCounter,
	},
	KindLockTAC: {
		name: "lock-tac", usage: keystore.UsageTAC, types: lockTACs,
		inputs: []Field{Amount, Type, Terminal, TerminalSerial, Date, Time, TAC},
		claim:  TAC, claimed: layout{Amount, Type, Terminal, TerminalSerial, Date, Time}, wrong: ErrTAC,
	},
	KindLockDebit: {
		name: "lock-debit", usage: keystore.UsagePurchase, types: locks, session: offlineSession, lock: layout{TerminalRandom},
		inputs: []Field{Random, OfflineCounter, TerminalSerial, TerminalRandom, OldBalance, Amount, MAC2},
		claim:  MAC2, claimed: layout{OldBalance, OfflineCounter}, wrong: ErrMAC2, variant: shortCounter,
		answer: GMAC, made: layout{Amount},
	},
	KindUnlock: {
		name: "unlock", usage: keystore.UsageUnlock, types: unlocks, session: onlineSession,
		inputs: []Field{Random, OnlineCounter, OfflineCounter, OldBalance, Amount, Type, Terminal, Date, Time, MAC1},
		claim:  MAC1, claimed: layout{OldBalance, OfflineCounter, Type, Terminal}, wrong: ErrMAC1,
		answer: MAC2, made: layout{Amount, Type, Terminal, Date, Time},
		variant: []variant{
			{by: keystore.SwitchUnlockMAC1, reading: keystore.UnlockAmount, claimed: layout{OldBalance, Amount, Type, Terminal}},
			unlockByUnload,
		},
	},
	KindUnlockMAC3: {
		name: "unlock-mac3", usage: keystore.UsageUnlock, types: unlocks, session: onlineSession,
		inputs: []Field{Random, OnlineCounter, NewBalance, Amount, Type, Terminal, Date, Time, MAC3},
		claim:  MAC3, claimed: layout{NewBalance, OnlineCounter, Amount, Type, Terminal, Date, Time}, wrong: ErrMAC3,
		variant: []variant{unlockByUnload},
	},
	// [PBOC] 6
	KindPINUnblock: {
		name: "pin-unblock", usage: keystore.UsagePINUnblock, inputs: []Field{P1, P2, Challenge, PIN},
		command: &command{cla: 0x84, ins: 0x24, data: PIN, cipher: always, mac: messaging},
	},
	KindPINReload: {
		name: "pin-reload", usage: keystore.UsagePINReload, inputs: []Field{P2, PIN},
		command: &command{cla: 0x80, ins: 0x5E, data: PIN, mac: folded},
	},
	KindAppBlock: {
		name: "app-block", usage: keystore.UsageMaintenance, inputs: []Field{P2, Challenge},
		command: &command{cla: 0x84, ins: 0x1E, data: noData, mac: messaging},
		variant: []variant{{by: keystore.SwitchBlockKey, reading: keystore.BlockKeyOwn, usage: keystore.UsageAppBlock}},
	},
	KindAppUnblock: {
		name: "app-unblock", usage: keystore.UsageMaintenance, inputs: []Field{Challenge},
		command: &command{cla: 0x84, ins: 0x18, data: noData, mac: messaging},
		variant: []variant{{by: keystore.SwitchBlockKey, reading: keystore.BlockKeyOwn, usage: keystore.UsageAppUnblock}},
	},
	KindCardBlock: {
		name: "card-block", usage: keystore.UsageCardControl, inputs: []Field{Challenge},
		command: &command{cla: 0x84, ins: 0x16, data: noData, mac: messaging},
	},
	KindUpdateBinary: {
		name: "update-binary", usage: keystore.UsageMaintenance, inputs: []Field{P1, P2, Challenge, Enciphered, Content},
		command: &command{cla: 0x04, ins: 0xD6, data: Content, cipher: asked, mac: messaging},
	},
	KindUpdateRecord: {
		name: "update-record", usage: keystore.UsageMaintenance, inputs: []Field{P1, P2, Challenge, Enciphered, Content},
		command: &command{cla: 0x04, ins: 0xDC, data: Content, cipher: asked, mac: messaging},
	},
	KindExternalAuth: {
		name: "external-auth", usage: keystore.UsageAuthenticate, inputs: []Field{P2, Challenge},
		command: &command{cla: 0x00, ins: 0x82, data: Challenge, cipher: response},
	},
	KindInternalAuth: {
		name: "internal-auth", usage: keystore.UsageAuthenticate, inputs: []Field{Challenge, Response},
		claim: Response, wrong: ErrResponse,
		command: &command{data: Challenge, cipher: response},
	},
	KindWriteKey: {
		name: "write-key", usage: keystore.UsageKeyControl,
		inputs:  []Field{P1, P2, Challenge, NewUsage, NewVersion, NewAlgorithm, KeyHeader},
		command: &command{cla: 0x84, ins: 0xD4, data: KeyHeader, cipher: withKey, mac: messaging},
	},
	// [PBOC] 7, the PSAM's part; answered as KindPurchase and KindLock
	KindTerminalPurchase: {
		name: "terminal-purchase", usage: keystore.UsagePurchase, types: purchases,
		inputs: []Field{Random, OfflineCounter, Amount, Type, Terminal, Date, Time, AuthCode},
		answer: MAC1, made: layout{Amount, Type, Terminal, Date, Time, AuthCode},
	},
	KindTerminalLock: {
		name: "terminal-lock", usage: keystore.UsagePurchase, types: locks,
		inputs: []Field{Random, OfflineCounter, TerminalRandom, Type, Terminal, Date, Time},
		answer: MAC1, made: layout{Type, Terminal, Date, Time},
	},
	// ISO/IEC 9797-1; see Generic
	KindMAC:       {name: "mac", usage: keystore.UsageMAC},
	KindMACVerify: {name: "mac-verify", usage: keystore.UsageMAC, wrong: ErrMAC},
	// see Raw
	KindRawMAC:       {name: "raw-mac"},
	KindRawMACVerify: {name: "raw-mac-verify", wrong: ErrMAC},
	KindRawTAC:       {name: "raw-tac"},
	KindRawTACVerify: {name: "raw-tac-verify", wrong: ErrTAC},
	KindRawDerive:    {name: "raw-derive"},
	KindRawEncipher:  {name: "raw-encipher"},
	KindRawDecipher:  {name: "raw-decipher"},
}

var (
	shortCounter = []variant{{
		by: keystore.SwitchLockCounter, reading: keystore.LockCounterOne, claimed: layout{OldBalance, counterLow},
	}}
	unlockByUnload = variant{by: keystore.SwitchUnlockKey, reading: keystore.UnlockByUnload, usage: keystore.UsageUnload}
)

// Kinds lists the kinds of purse operations.
func Kinds() []Kind {
	kinds := make([]Kind, 0, numPurse-1)
	for k := Kind(1); k < numPurse; k++ {
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

// Usage is the usage of the key that the operation needs, where the profile of
// its set does not say another.
func (k Kind) Usage() keystore.Usage { return k.recipe().usage }

// Inputs lists the fields that the operation needs, in the order of the wire.
func (k Kind) Inputs() []Field { return k.recipe().inputs }

// Types lists what Type may be in the operation.
func (k Kind) Types() []TransactionType { return slices.Clone(k.recipe().types) }

// Claims is the MAC or TAC that the operation verifies, and whether there is
// one.
func (k Kind) Claims() (Field, bool) { return k.recipe().claim, k.recipe().wrong != nil }

// Answers is the MAC that the operation makes, and whether it makes one.
func (k Kind) Answers() (Field, bool) { return k.recipe().answer, k.recipe().made != nil }

// Commands tells whether the operation makes a command for the card, which
// Op.Command then gives.
func (k Kind) Commands() bool { return k.recipe().command != nil && k.recipe().wrong == nil }

// Mismatch is the error of an operation whose claimed MAC or TAC is wrong.
func (k Kind) Mismatch() error { return k.recipe().wrong }

// WithSerial tells whether the operation needs the next serial of its terminal,
// which whoever keeps the serials writes into TerminalSerial, and what it is once
// it has it. An Engine keeps none.
func (k Kind) WithSerial() (Kind, bool) {
	switch k {
	case KindTerminalPurchase:
		return KindPurchase, true
	case KindTerminalLock:
		return KindLock, true
	}
	return k, false
}

func (k Kind) known() bool { return k > 0 && k < numKinds }

// Runs lists the inputs joined where they can be read at once.
func (k Kind) Runs() []Run {
	if !k.known() {
		return nil
	}
	return procedures[k][0].runs
}

// recipe is the recipe of k; that of an unknown kind is empty.
func (k Kind) recipe() *recipe {
	if !k.known() {
		k = 0
	}
	return &recipes[k]
}
