package recharge

import "pbochsm/mac"

// A Caller is who sent a request, after its token was verified.
type Caller struct {
	Domain      string      // OrigionDomain
	Source      string      // whose failures are counted together: a terminal, or the peer's address
	Fingerprint Fingerprint // of the request, from Keys.Fingerprint
}

// A TradeType is what is done to a card, in the API's words. It is not the
// transaction type that the MACs contain: that comes from the Scheme.
type TradeType string

// Trade types.
const (
	TradeLoad   TradeType = "01" // 圈存
	TradeUnload TradeType = "03" // 圈提
)

// A Write is what a MAC2 depends on: the card, its answer to INITIALIZE, and
// what the host adds. The card number is a claim, the ASN is proved by MAC1.
type Write struct {
	CardType  string // selects the Scheme
	CardNo    string // as the request has it
	ASN       mac.Factor
	Terminal  mac.TerminalID
	Random    [4]byte
	Counter   mac.OnlineCount
	Balance   Fen // before the write
	Amount    Fen
	TradeType TradeType
	Version   byte // KeyVersion
	Algorithm byte // ArithIndex
	MAC1      mac.MAC
	Date      mac.BCDDate // of the host
	Time      mac.BCDTime
}

// A Counter is where a load over the counter takes place.
type Counter struct{ Dept, Operator string }

// A Payment is how an order was paid.
type Payment struct {
	Type    string // 01 ALIPAY, 02 TENPAY, 03 CNUNIONPAY, and what Settings adds
	Account string // may be empty
	TradeID string // of the payment; may be empty
}

// MAC2 is the answer of every endpoint that writes a card.
type MAC2 struct{ MAC2 mac.MAC }

// AlVerify asks which order a card should be loaded with. Nothing in it is
// proved, so nothing changes. TradeID is upper case in every request.
type AlVerify struct {
	Caller
	CardNo  string
	Balance Fen
	Counter mac.OnlineCount
}

// AlVerified names the order.
type AlVerified struct {
	TradeID string
	Amount  Fen
}

// Mac1AuthAl asks for the MAC2 of an order that was paid.
type Mac1AuthAl struct {
	Caller
	TradeID     string
	Channel     string
	Write       Write
	Payment     Payment
	OperateMode string // 01 the phone is the card, 02 the phone is the terminal
	PhoneModel  string
	LinkAddr    string
}

// Now asks for the time of the host.
type Now struct {
	Caller
	Channel string
}

// HostTime is the time that a write may carry.
type HostTime struct {
	Date mac.BCDDate
	Time mac.BCDTime
}

// PrepaySupply tops up the account of a merchant.
type PrepaySupply struct {
	Caller
	TradeID  string
	Amount   Fen
	Merchant string
}

// PrepaySupplied is the balance of the merchant's account after it.
type PrepaySupplied struct {
	Merchant string
	Balance  Fen
}

// CheckPassword asks for the value of a recharge card.
type CheckPassword struct {
	Caller
	Password Password
}

// Worth is what may be loaded.
type Worth struct{ Amount Fen }

// PasswordSupply loads a card from a recharge card.
type PasswordSupply struct {
	Caller
	Counter
	Password Password
	Write    Write
}

// AcctTransSupply loads a card from the account of a merchant.
type AcctTransSupply struct {
	Caller
	TradeID  string
	Merchant string
	Device   string
	Write    Write
}

// CardSupply loads a card with what was paid over the counter, in cash or by
// bank transfer.
type CardSupply struct {
	Caller
	Counter
	Write Write
}

// GroupSupply loads a card from the corporate account that it belongs to.
type GroupSupply struct {
	Caller
	Counter
	Write Write
}

// GroupModify changes the password of a corporate card.
type GroupModify struct {
	Caller
	CardNo   string
	Old, New Password
}

// GroupVerify asks what a corporate card may load. Card is its card number or
// its application serial number, 16 digits.
type GroupVerify struct {
	Caller
	Card     string
	Password Password
}
