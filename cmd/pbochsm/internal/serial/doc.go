// Package serial keeps the terminal transaction serials 终端交易序号 of terminals
// that have no PSAM, as a PSAM would: each serial once, also across a crash.
//
// The file is a row of records of 16 bytes, the first one its header and each
// other one of a terminal:
//
//	terminal 6 | limit 4 | zeros 2 | CRC-32C of the 12 bytes before 4
//
// A limit is written and synced before a serial at or above the one before it is
// given out, so after a crash the serials go on at the limit: some are left out,
// and none comes twice. Of several records of a terminal the last counts. The
// header has the word "serial" for a terminal, and for a limit the first serial
// of a terminal without a record.
//
// What follows the last right record may be a write that was interrupted, behind
// which nothing was given out, or a record that was right once. Nobody can tell,
// so every terminal, known or not, skips what one record reserves. A wrong record
// anywhere else, or another beginning, is damage, and changes nothing.
package serial

import (
	"errors"
	"fmt"

	"pbochsm/mac"
)

// Errors of a file, and of an operation that gets no serial.
var (
	// ErrDamaged is a file that is not as it was written.
	ErrDamaged = errors.New("serial: file damaged")
	// ErrInUse is a file that another process gives serials from.
	ErrInUse = errors.New("serial: file is in use by another process")
	// ErrFailed is what follows after the file could not be written: what it
	// holds is no longer known.
	ErrFailed = errors.New("serial: the file could not be written, so no serial is given out")
	// ErrFull is one terminal more than the file takes.
	ErrFull = fmt.Errorf("%w: too many terminals", mac.ErrUnsupported)
	// ErrUsedUp is a terminal that has had all serials of four bytes.
	ErrUsedUp = fmt.Errorf("%w: the serials of the terminal are used up", mac.ErrUnsupported)
)
