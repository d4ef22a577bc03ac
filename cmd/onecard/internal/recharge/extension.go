package recharge

import "pbochsm/mac"

// RegisterOrder registers an order that was paid.
type RegisterOrder struct {
	Caller
	TradeID string
	CardNo  string
	Amount  Fen
	Payment Payment
}

// A Name is how a request names an order: by its serial, or, for the endpoints
// that have none, by the card number and counter of its writes.
type Name struct {
	TradeID string // or empty
	CardNo  string
	Counter mac.OnlineCount
}

// CancelOrder cancels an order that no MAC2 was made for.
type CancelOrder struct {
	Caller
	TradeID string
}

// QueryOrder asks for the state of an order.
type QueryOrder struct {
	Caller
	Name
}

// OrderState is the state of an order. TradeID is empty for one without.
type OrderState struct {
	TradeID string
	State   State
	Amount  Fen
}

// ConfirmTAC brings the TAC that the card answered a load with.
type ConfirmTAC struct {
	Caller
	Name
	TAC mac.TransactionMAC
}

// ConfirmMAC3 brings the MAC3 that the card answered an unload with.
type ConfirmMAC3 struct {
	Caller
	Name
	MAC3 mac.MAC
}
