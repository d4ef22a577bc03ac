// Package apdu lets a simulated purse card be spoken to in the bytes of a
// reader: it takes command APDUs apart, has the card act, and puts the answers
// together, status words included. Whatever drives a real card can drive this
// one: a script, a terminal's software, a PC/SC program.
//
// The card has a master file, the purse application (ADF) with the file 0015
// of its public data and the transaction log, and the commands SELECT, READ
// BINARY, READ RECORD, INITIALIZE FOR LOAD, UNLOAD, PURCHASE and CASH WITHDRAW,
// CREDIT FOR LOAD, DEBIT FOR PURCHASE and UNLOAD, GET BALANCE, and GET
// TRANSACTION PROVE. See [PBOC] 5 and 10.
//
// [PBOC]: docs/pboc.md
package apdu
