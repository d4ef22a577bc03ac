//go:build !linux

package bench

import "time"

// cpuTime is not told here.
func (*process) cpuTime() time.Duration { return 0 }

func ownTime() time.Duration { return 0 }
