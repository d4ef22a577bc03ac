// Package protocol is the wire of the security module: the frame of payment
// HSM host commands (payShield, and the Racal-compatible 雷卡兼容 boxes), the
// table of commands, the table of statuses, and the [Server] and [Client] at
// the two ends.
//
// Whoever has a [mac.HSM] can serve it, and a Client is a mac.HSM again: the
// same operation gives the same answer and the same error, by errors.Is, in
// process and over the wire.
//
// Everything is a batch. What has arrived on a connection is decoded as a
// whole, answered by one call of the HSM, and goes back in one write.
//
// The wire never says why: a refused request gets a status of two digits, the
// log gets the field and the reason, and neither gets a value.
//
// [WIRE], docs/protocol.md of this repository, is the normative text; the
// tables of this package are its source.
//
// [WIRE]: docs/protocol.md
package protocol
