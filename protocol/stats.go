package protocol

import "sync/atomic"

// counters is what the server counts, by itself and without locks.
type counters struct {
	accepted, refused, handshakes, cut, panics, batches atomic.Uint64
	bytesIn, bytesOut                                   atomic.Uint64
	open                                                atomic.Int64
	requests                                            [numCommands + 1][numStatuses]atomic.Uint64
}

// Stats is a reading of the server's counters.
type Stats struct {
	Open     int64  // connections at the moment
	Accepted uint64 // connections since the start, of which:
	Refused  uint64 // closed at once because a cap was reached
	Failed   uint64 // closed because the TLS handshake failed
	Cut      uint64 // closed because a deadline passed or the peer broke off

	Panics   uint64
	Batches  uint64
	BytesIn  uint64
	BytesOut uint64
	Requests []RequestCount
}

// A RequestCount is how many requests of one command ended with one status.
type RequestCount struct {
	Command string // empty for those of no known command
	Status  Status
	Count   uint64
}

// Stats reads the counters. Each is exact; together they are as of no single
// moment.
func (s *Server) Stats() Stats {
	c := &s.stats
	stats := Stats{
		Open: c.open.Load(), Accepted: c.accepted.Load(), Refused: c.refused.Load(),
		Failed: c.handshakes.Load(), Cut: c.cut.Load(),
		Panics: c.panics.Load(), Batches: c.batches.Load(),
		BytesIn: c.bytesIn.Load(), BytesOut: c.bytesOut.Load(),
	}
	for command := range c.requests {
		for status := range c.requests[command] {
			if n := c.requests[command][status].Load(); n > 0 {
				stats.Requests = append(stats.Requests, RequestCount{s.format.codeAt(uint8(command)), Status(status), n})
			}
		}
	}
	return stats
}

// codeAt gives the code of a command by one more than its place.
func (f Format) codeAt(command uint8) string {
	switch {
	case command == 0:
		return ""
	case f.dialect != nil:
		return f.dialect.Commands()[command-1]
	}
	return commands[command-1].code
}
