//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// trustworthy refuses a library that another user could exchange: it runs in
// this process, with the keys.
func trustworthy(module string) error {
	file, err := filepath.EvalSymlinks(module)
	if err != nil {
		return err
	}
	for _, name := range []string{file, filepath.Dir(file)} {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if ok && stat.Uid != 0 && int(stat.Uid) != os.Geteuid() {
			return fmt.Errorf("%s belongs to another user than root or oneself", name)
		}
		if info.Mode().Perm()&0o022 != 0 && info.Mode()&os.ModeSticky == 0 {
			return fmt.Errorf("%s can be changed by others than its owner", name)
		}
	}
	return nil
}
