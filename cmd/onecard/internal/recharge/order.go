package recharge

import "pbochsm/mac"

// A State is where an order stands. See [LEDGER] 3.
type State string

// The states. Before the first of them an order is not stored.
const (
	Reserved   State = "RESERVED"    // its money is held, no MAC2 exists
	Issued     State = "ISSUED"      // a MAC2 exists
	Confirmed  State = "CONFIRMED"   // the card has proved the write
	Consumed   State = "CONSUMED"    // the card has shown a higher counter under a good MAC1
	Cancelled  State = "CANCELLED"   // before any MAC2
	Refunded   State = "REFUNDED"    // on evidence, by two persons
	WrittenOff State = "WRITTEN_OFF" // the card never came back; by two persons
)

// A Source is where the money of an order comes from.
type Source string

// The sources.
const (
	FromPayment   Source = "PAYMENT"   // paid in an app: mac1authal
	FromPrepaid   Source = "PREPAID"   // a merchant's account
	FromVoucher   Source = "VOUCHER"   // a recharge card
	FromCash      Source = "CASH"      // over the counter
	FromCorporate Source = "CORPORATE" // the corporate account of the card
	FromTransfer  Source = "TRANSFER"  // a merchant's top-up: writes no card
)

// A CardKey is the cryptographic identity of a store of money on a card.
type CardKey struct {
	Scheme uint8
	ASN    mac.Factor
	Wallet uint8
}

// An Order is one piece of business: at most one credit. Its counter, balance
// and key belong to it from ISSUED on.
type Order struct {
	ID          int64
	Domain      string
	TradeID     string // upper case; empty where the endpoint has none
	Source      Source
	TradeType   TradeType // of a top-up: empty
	State       State
	Version     int64 // counts moves
	Card        CardKey
	CardNo      string
	Counter     mac.OnlineCount // of all its writes
	Balance     Fen             // before the first write; of a top-up: the account's, after it
	Amount      Fen
	Account     int64 // whose money it is
	Payment     Payment
	Detail      Detail
	Fingerprint Fingerprint // of the request that registered it
	Overtaken   bool        // a higher counter was seen where that proves nothing
	At          int64       // when it was registered, ms since 1970
}

// Detail is what a request said about an order that no rule depends on.
type Detail struct {
	Channel     string `json:"channel,omitempty"`
	Dept        string `json:"dept,omitempty"`
	Operator    string `json:"operator,omitempty"`
	Device      string `json:"device,omitempty"`
	OperateMode string `json:"operateMode,omitempty"`
	PhoneModel  string `json:"phoneModel,omitempty"`
	LinkAddr    string `json:"linkAddr,omitempty"`
}

// A CardWrite is one MAC2 that was made.
type CardWrite struct {
	Order       int64
	Card        CardKey
	Counter     mac.OnlineCount
	Random      [4]byte
	Balance     Fen // as the card said this time
	Key         mac.KeyID
	Terminal    mac.TerminalID
	Date        mac.BCDDate
	Time        mac.BCDTime
	MAC2        mac.MAC
	Fingerprint Fingerprint
	At          int64
}

// A Binding is the first pair of ASN and card number that passed MAC1.
type Binding struct {
	Scheme uint8
	ASN    mac.Factor
	CardNo string
}

// An AccountKind tells whose an account is.
type AccountKind string

// Kinds of account.
const (
	MerchantAccount  AccountKind = "MERCHANT"
	CorporateAccount AccountKind = "CORPORATE"
	SystemAccount    AccountKind = "SYSTEM"
)

// The house's own accounts, with the same numbers in every ledger. Their
// balances are not kept, only summed: what the outside world paid in is
// negative.
const (
	CardsAccount    int64 = 1 // money on cards
	CashAccount     int64 = 2 // outside: paid over the counter
	PaymentAccount  int64 = 3 // outside: paid in apps
	BankAccount     int64 = 4 // outside: transferred to the house
	VoucherAccount  int64 = 5 // recharge cards that are not spent
	ReserveAccount  int64 = 6 // held for orders that are not issued
	RefundAccount   int64 = 7 // owed to payers
	UnloadAccount   int64 = 8 // taken off cards, owed to their holders
	WriteOffAccount int64 = 9 // on cards that never came back
	FirstAccount    int64 = 1000
)

// A Status is whether an account, a recharge card or a corporate card can be
// used.
type Status string

// The statuses.
const (
	Active  Status = "ACTIVE"
	Blocked Status = "BLOCKED"
	Used    Status = "USED" // of a recharge card
)

// An Account is a store of money in the house.
type Account struct {
	ID      int64
	Kind    AccountKind
	Number  string // of the merchant, or of the corporate card
	Name    string
	Balance Fen
	Status  Status
}

// A Voucher is a recharge card 充值卡: who knows its password may spend it,
// once.
type Voucher struct {
	Serial  string
	Digest  Digest
	Amount  Fen
	Status  Status
	Expires int64 // ms since 1970
	Order   int64 // that spent it, or 0
}

// A Corporate is a corporate card 企服卡. Its account is that of its number.
type Corporate struct {
	Account    Account
	CardNo     string
	ASN        mac.Factor
	Hash       string // of the password, with its parameters
	Previous   string // the hash before the last change, or empty
	VerifiedAt int64  // last good group/verify, ms since 1970
	Version    int64
}

// A Posting moves money from one account to another, so that every posting
// balances.
type Posting struct {
	Order    int64 // or 0
	From, To int64
	Amount   Fen
}
