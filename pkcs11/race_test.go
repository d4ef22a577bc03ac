//go:build race

package pkcs11_test

func init() { raceDetector = true }
