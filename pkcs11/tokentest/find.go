package tokentest

import (
	"fmt"
	"os"
)

// FindSoftHSM gives the path of SoftHSM's module, for tests that have no
// testing.TB.
func FindSoftHSM() (string, error) {
	for _, m := range softHSMModules {
		if _, err := os.Stat(m); err == nil {
			return m, nil
		}
	}
	return "", fmt.Errorf("tokentest: SoftHSM is in none of %v", softHSMModules)
}
