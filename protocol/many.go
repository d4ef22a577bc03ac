package protocol

import "pbochsm/mac"

// WS verifies many TACs in one frame. A record is what a command that verifies
// one would have: its code, and its fields from the key set on. Records need no
// separator, because every field tells where it ends. The answer is a digit
// for each: what the status of that command would have been.

const (
	countSize = 4
	// mostRecords is what the count can say; a frame holds far fewer.
	mostRecords = 0xFFFF
)

// verdicts are the statuses that a verdict stands for, by the digit. Those of
// statuses that are not here, and errors without one, are the last.
var verdicts = [...]Status{0, 1, 12, 29, 15, 30, 47, 20, 13, statusInternal}

// digitOf maps a status to its digit.
var digitOf = indexVerdicts()

// Verdicts gives the statuses that the digits of WS stand for, from 0 on.
func Verdicts() []Status { return append([]Status(nil), verdicts[:]...) }

func indexVerdicts() *[numStatuses]byte {
	digits := new([numStatuses]byte)
	for s := range digits {
		digits[s] = byte('0' + len(verdicts) - 1)
	}
	for i, s := range verdicts {
		digits[s] = byte('0' + i)
	}
	// Which of these it is only the log tells: there is no such key for TACs.
	digits[27], digits[28] = digits[12], digits[12]
	digits[16] = digits[20] // an HSM that is too busy, behind a server that is not
	return digits
}

// verifiesTAC gives the kind of operation that a record of this command has.
func verifiesTAC(command uint8) (mac.Kind, bool) {
	if command == 0 {
		return 0, false
	}
	k := commands[command-1].kind
	claim, ok := k.Claims()
	return k, ok && claim == mac.TAC
}

// addRecords decodes the records of WS; if one cannot be read none is asked.
func (b *batch) addRecords(r *request, fields []byte) {
	first := len(b.ops)
	s := scanner(fields)
	n, ok := s.number(16, countSize)
	if !ok || n == 0 {
		r.err = malformed("number of records")
		return
	}
	for range n {
		if r.err = b.addRecord(&s); r.err != nil {
			break
		}
	}
	if r.err == nil {
		r.err = s.end()
	}
	if r.err != nil {
		clear(b.ops[first:])
		b.ops = b.ops[:first]
		return
	}
	r.op, r.count = first, n
}

func (b *batch) addRecord(s *scanner) error {
	if len(*s) < commandSize {
		return malformed("record")
	}
	command := lookup(*s)
	k, ok := verifiesTAC(command)
	if !ok {
		return malformed("code of a record")
	}
	op := b.nextOp()
	if n := decodePlain(op, command, *s); n > 0 {
		*s = (*s)[n:]
		return nil
	}
	*s = (*s)[commandSize:]
	return s.op(op, k)
}

// appendVerdicts appends a digit for each operation.
func appendVerdicts(out []byte, ops []mac.Op) []byte {
	for i := range ops {
		if ops[i].Err == nil {
			out = append(out, '0')
			continue
		}
		out = append(out, digitOf[StatusOf(ops[i].Err)])
	}
	return out
}
