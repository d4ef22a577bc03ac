// Package batch has the work of many callers done together: what arrives while
// one batch is under way is the next one. So batches grow with the load, and
// nobody waits for a clock.
package batch
