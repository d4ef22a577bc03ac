package main

import (
	"os"
	"runtime"
	"runtime/debug"

	"pbochsm/cmd/onecard/internal/config"
)

// garbage is how much the heap may grow between two collections, in percent of
// what is in use, unless GOGC says otherwise. What is in use is little, so that
// the default would collect many times a second.
const garbage = 400

// pace sets what the runtime cannot know about a service. A thread that waits
// for the disk keeps its processor for a while: where this process has a disk to
// wait for there is one thread more, unless GOMAXPROCS says otherwise.
func pace(cfg *config.Config) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	if os.Getenv("GOMAXPROCS") == "" && cfg.Database.SQLite != "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
}
