// Package apdu lets a simulated purse card be spoken to in the bytes of a
// reader: it takes command APDUs apart, has the card act, and puts the answers
// together, status words included. Whatever drives a real card can drive this
// one: a script, a terminal's software, a PC/SC program.
//
// The card has a master file, the purse application (ADF) with the file 0015
// of its public data and the transaction log, and the commands SELECT, READ
// BINARY and RECORD, those of the transactions (load, unload, purchase, cash
// withdraw, compound purchase, update of the overdraft limit) with GET BALANCE
// and GET TRANSACTION PROVE, those about the PIN, and what the issuer sends under
// line protection. See [PBOC] 5, 6 and 10.
//
// [PBOC]: docs/pboc.md
package apdu
