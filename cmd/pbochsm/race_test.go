//go:build race

package main

// raced tells that the daemon of the tests is built with the race detector,
// which takes several times the memory.
const raced = true
