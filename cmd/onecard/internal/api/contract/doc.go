// Package contract is what the recharge API promises, as tables: the endpoints
// with the spellings of their document, the fields with what they accept, the
// error codes with their texts. The adapter works from them, and so does the
// OpenAPI description, so neither can say what the other does not do.
//
// The spellings are the document's, with its slips: OrigionDomain, CarNo
// beside CardNo, ASN beside Asn, TradeId, Balunitno and balunitno, TradeMoneuy.
// They are promised, so they stay. See [API] 2 and 3.
//
// [API]: docs/api.md
package contract
