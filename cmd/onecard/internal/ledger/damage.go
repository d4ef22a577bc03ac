package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"zombiezen.com/go/sqlite"
)

// A damageMark is the name of a file that stands beside a SQLite file from when
// that was found damaged on. A service manager would start a process again that
// ended for it, and each time money would move until it is found once more.
type damageMark string

// refuse is an error where the mark is set.
func (m damageMark) refuse() error {
	what, err := os.ReadFile(string(m))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w", errLost, err)
	}
	return fmt.Errorf("%w: the SQLite file was found damaged: %s; restore it from a backup, then remove %s", errLost, what, m)
}

// set sets the mark and gives the error that says so.
func (m damageMark) set(what string) error {
	what = strings.Join(strings.Fields(what), " ")
	err := fmt.Errorf("%w: the SQLite file is damaged, restore it from a backup: %s", errLost, what)
	if failed := os.WriteFile(string(m), []byte(what), 0o600); failed != nil {
		err = fmt.Errorf("%w; and %w", err, failed)
	}
	return err
}

// judge says what an error of the engine means, and marks a file that is
// damaged.
func (e *liteEngine) judge(err error) error {
	if err != nil && sqlite.ErrCode(err).ToPrimary() == sqlite.ResultCorrupt {
		return e.damaged.set(err.Error())
	}
	return liteError(err)
}
