package bench

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is the processor time that a process has used, all of its threads
// together, 0 if the system does not tell. The clock of a process is numbered as
// clock_getcpuclockid(3) numbers it.
func (p *process) cpuTime() time.Duration {
	if p == nil {
		return 0
	}
	const whole = 2
	var t unix.Timespec
	if unix.ClockGettime(int32(^p.cmd.Process.Pid<<3|whole), &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
