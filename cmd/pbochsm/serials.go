package main

import (
	"errors"
	"log/slog"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/cmd/pbochsm/internal/serial"
	"pbochsm/mac"
)

// withSerials puts the terminal serials of cfg before hsm, if they are to be
// kept. What it gives back closes their file.
func withSerials(cfg *config, log *slog.Logger, hsm mac.HSM) (mac.HSM, func() error, error) {
	if cfg.Serials == "" {
		return hsm, func() error { return nil }, nil
	}
	f, err := serial.Open(cfg.Serials)
	switch {
	case errors.Is(err, serial.ErrDamaged):
		return nil, nil, cmdline.Hint(err, "serials could come twice: give the terminals new numbers, or restore the file as it last was")
	case err != nil:
		return nil, nil, err
	}
	if f.Skipped() {
		log.Warn("the end of the file of serials was not whole: every terminal leaves 256 serials out", "file", cfg.Serials)
	}
	log.Info("terminal serials open", "file", cfg.Serials, "terminals", f.Terminals())
	return serial.New(hsm, f), f.Close, nil
}
