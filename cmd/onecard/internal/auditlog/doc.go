// Package auditlog reads the audit log of pbochsm's daemon: which MAC2s were
// made, with all that they depend on. Held against the ledger they tell what
// was computed and never answered.
//
// A log is a directory of text files, audit-00000001.jsonl and so on, one JSON
// object a line: a head, records, and after each write to the disk a seal. What
// no seal follows was never answered, and may still be taken back; it is not
// read yet. Whether a log is as the daemon wrote it is for "pbochsm audit
// verify" to say, which has the key of the seals.
//
// See "The audit log" in docs/operations.md.
package auditlog
