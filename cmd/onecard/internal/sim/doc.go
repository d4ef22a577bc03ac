// Package sim is the sandbox around the money API: simulated cards, a clock
// that can be set, faults that can be armed, an account of every request and
// a page to look at it all. It exists under "onecard dev" and "onecard demo"
// alone and answers below /_sim; the paths of the API stay exactly as
// documented, and what the sandbox adds to them travels in headers.
//
// With a seed, and the clock fixed, two runs of the same requests are the same
// byte for byte.
//
// [PBOC]: docs/pboc.md
package sim
