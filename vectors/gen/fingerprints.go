package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"slices"
	"strings"

	"pbochsm/vectors"
)

// writeFingerprints writes the fingerprint of every key of the generated
// families, one a line, for package keystore, which refuses such keys in
// production and cannot import the vectors that stand above it.
func writeFingerprints(file string, families []vectors.Family) error {
	var sums []string
	for _, f := range families {
		for _, k := range f.Provision {
			sum, err := fingerprint(k.Value)
			if err != nil {
				return err
			}
			sums = append(sums, sum)
		}
	}
	slices.Sort(sums)
	text := strings.Join(slices.Compact(sums), "\n") + "\n"
	return os.WriteFile(file, []byte(text), 0o644)
}

// fingerprint is the SHA-256 of a key whose parity bits, the lowest of each
// byte, are cleared.
func fingerprint(digits string) (string, error) {
	key, err := hex.DecodeString(digits)
	if err != nil {
		return "", err
	}
	for i := range key {
		key[i] &^= 1
	}
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:]), nil
}
