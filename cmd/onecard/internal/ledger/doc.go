// Package ledger stores what package recharge decides, in SQLite or in
// PostgreSQL: one schema, one text of every statement, one suite of tests.
//
// A transaction is data, a recharge.Change. The changes that wait are taken
// together and stored by one durable commit, then all their callers are
// answered: one synchronisation of the disk serves them all. Unique indexes and
// conditions in the statements refuse what does not fit; a refused group is
// halved until each change has had its own verdict. See [LEDGER] 6.
//
// [LEDGER]: docs/ledger.md
package ledger
