//go:build unix && !linux

package keystore

func excludeFromDump([]byte) {}
