package bench

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is the processor time that a process has used, all of its threads
// together, 0 if the system does not tell.
func (p *process) cpuTime() time.Duration {
	if p == nil {
		return 0
	}
	return cpuTimeOf(p.cmd.Process.Pid)
}

// ownTime is the processor time that this process has used.
func ownTime() time.Duration { return cpuTimeOf(os.Getpid()) }

// cpuTimeOf reads the clock of a process, numbered as clock_getcpuclockid(3)
// numbers it.
func cpuTimeOf(pid int) time.Duration {
	const whole = 2
	var t unix.Timespec
	if unix.ClockGettime(int32(^pid<<3|whole), &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
