package main

import (
	"os"
	"runtime"
)

// pace sets what the runtime cannot know about the daemon: that an event loop
// keeps a processor of the runtime for as long as there is something to do. There
// is a loop for one in two of those, so with twice as many as the machine has,
// unless GOMAXPROCS says otherwise, all of the machine can serve plain connections
// while what is none still finds a processor of the runtime, and the system
// divides the time.
func pace() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2 * runtime.GOMAXPROCS(0))
	}
}
