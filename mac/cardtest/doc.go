// Package cardtest is a PBOC purse card in software, for tests and for the
// sandbox: the other party of everything that the security module answers. It
// makes MAC1, checks MAC2, answers with a TAC or with MAC3, counts, keeps its
// balances, and can be torn from the reader at every step.
//
// It has its own statement of the layouts and computes with the readable
// arithmetic of mac/reference, so that a mistake of the backend under test, or
// of the recipes, is not made twice.
//
// A card has two purses, the deposit (ED) and the electronic purse (EP), each
// with its balance, its online and its offline counter. A command that changes
// one does so as a whole or not at all, as on a real card.
//
// [PBOC]: docs/pboc.md
package cardtest
