//go:build !linux

package main

// harden has nothing to offer on this system: see docs/security.md.
func harden() error { return nil }
