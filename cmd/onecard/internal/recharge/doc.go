// Package recharge is the business of loading money onto purse cards: orders
// and their states, what a load from each source of money takes, what a retry
// and a rewrite are, and which refusal each caller gets. It decides; package
// api translates HTTP into its requests, package ledger stores what it commits,
// and keys are reached only by asking a mac.HSM.
//
// A request for a MAC2 runs in one order: what is known is read; a stored
// answer is given again; clock, limits and order are checked; the security
// module checks MAC1 and makes MAC2; one transaction is committed that accounts
// for it; and only then is the MAC2 in the answer. Nothing releases money after
// that but positive evidence and two persons. See [LEDGER] 3 and 4.
//
// [LEDGER]: docs/ledger.md
// [PBOC]: docs/pboc.md
package recharge
