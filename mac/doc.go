// Package mac knows the transactions of the PBOC electronic purse (电子钱包) and
// deposit (电子存折): which key each one uses, how its session key is formed, and
// which fields enter its MAC1, MAC2, MAC3 and TAC.
//
// A transaction is an [Op], a plain value. An [HSM] answers a slice of them:
// the [Engine] of this package does so with keys at hand, and the client of
// package protocol does so at the far end of a wire.
//
// The Engine translates every Op into a [Chain], the secret arithmetic without
// the meaning: diversify, form the last key, MAC at most two messages. A
// [Backend] runs chains and knows no transactions. So a layout is written
// once, in the recipes of this package, and works wherever a chain can run.
//
// Sections of the form "[PBOC] 5.1" refer to docs/pboc.md of this repository,
// which lists the public sources of each rule.
//
// [PBOC]: docs/pboc.md
package mac
