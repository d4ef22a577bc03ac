// Package bench measures this program against yardsticks that run beside it on
// the same machine, in turns, and gives ratios: absolute figures are a
// machine's, ratios are a program's.
//
// A measurement is a [Row]. The server rows drive a real daemon process and
// redis-server with one load generator, [Drive]; every answer of a measured run
// is compared with what the readable arithmetic gives. A row whose yardstick is
// not there says what is missing.
package bench
