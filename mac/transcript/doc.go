// Package transcript takes apart what a reader and a purse card said to each
// other: the commands of a transaction and the card's answers to them, field by
// field, with or without status words, whole conversations or a single answer.
// What it finds it can put into the operation that the security module is asked.
//
// It is a statement of the layouts that cards use, and knows no key. See [PBOC] 5
// to 6 and 10.
//
// [PBOC]: docs/pboc.md
package transcript
