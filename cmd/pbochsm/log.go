package main

import (
	"fmt"
	"io"
	"log/slog"

	"pbochsm/cmd/internal/cmdline"
)

// newLogger writes records to w. Levels and formats are those of log.level and
// log.format.
func newLogger(w io.Writer, cfg logConfig) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Level)); err != nil {
		return nil, cmdline.Usagef("log level %q is none of debug, info, warn, error", cfg.Level)
	}
	options := &slog.HandlerOptions{Level: level}
	switch cfg.Format {
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return nil, cmdline.Usage(fmt.Errorf("log format %q is neither text nor json", cfg.Format))
}
