package protocol

import (
	"pbochsm/keystore"
	"pbochsm/mac"
)

// decodeOp reads the fields of a purse command into op, which is zero. What
// the values mean, and which are out of range, is for the HSM to say.
func decodeOp(op *mac.Op, k mac.Kind, fields []byte) error {
	if k.IsGeneric() {
		return decodeGeneric(op, k, fields)
	}
	s := scanner(fields)
	if err := s.op(op, k); err != nil {
		return err
	}
	return s.end()
}

// op reads KEY, FACTORS and the fields of an operation of kind k.
func (s *scanner) op(op *mac.Op, k mac.Kind) error {
	op.Kind = k
	if err := s.key(op); err != nil {
		return err
	}
	for _, f := range k.Inputs() {
		if f.Counted() {
			n, ok := s.number(16, 2)
			if !ok || !f.SetLen(op, n) {
				return malformed(f.String())
			}
		}
		if !s.hex(f.Bytes(op)) {
			return malformed(f.String())
		}
	}
	return nil
}

// key reads KEY and FACTORS.
func (s *scanner) key(op *mac.Op) error {
	var err error
	if op.Key, err = s.identity(); err != nil {
		return err
	}
	n, ok := s.number(10, 1)
	if !ok || n > keystore.MaxLevels {
		return malformed("factors")
	}
	op.Levels = uint8(n)
	for i := range n {
		if !s.hex(op.Factors[i][:]) {
			return malformed("factors")
		}
	}
	return nil
}

// identity reads KEY.
func (s *scanner) identity() (mac.KeyID, error) {
	var id [3]byte
	if !s.hex(id[:]) {
		return mac.KeyID{}, malformed("key")
	}
	return mac.KeyID{Set: id[0], Version: id[1], Algorithm: id[2]}, nil
}

// appendOp appends the fields of a purse command, the inverse of decodeOp.
func appendOp(out []byte, op *mac.Op) []byte {
	if op.Kind.IsGeneric() {
		return appendGeneric(out, op)
	}
	out = appendHex(out, []byte{op.Key.Set, op.Key.Version, op.Key.Algorithm})
	out = append(out, '0'+op.Levels)
	for i := range op.Levels {
		out = appendHex(out, op.Factors[i][:])
	}
	for _, f := range op.Kind.Inputs() {
		b := f.Bytes(op)
		if f.Counted() {
			out = appendNumber(out, len(b), 16, 2)
		}
		out = appendHex(out, b)
	}
	return out
}

// appendAnswer appends what follows the status 00 of a purse command.
func appendAnswer(out []byte, op *mac.Op) []byte {
	if op.Kind.IsGeneric() {
		return appendHex(out, answerOf(op))
	}
	if _, ok := op.Kind.WithSerial(); ok {
		out = appendHex(out, mac.TerminalSerial.Bytes(op))
	}
	if _, ok := op.Kind.Answers(); ok {
		out = appendHex(out, op.Answer[:])
	}
	if op.Kind.Commands() {
		out = appendNumber(out, len(op.Command()), 16, 4)
		out = appendHex(out, op.Command())
	}
	return out
}

// readAnswer reads what appendAnswer wrote, and nothing after it.
func readAnswer(op *mac.Op, body []byte) bool {
	s := scanner(body)
	ok := true
	if op.Kind.IsGeneric() {
		ok = s.hex(answerOf(op))
	}
	if _, made := op.Kind.WithSerial(); made {
		ok = s.hex(mac.TerminalSerial.Bytes(op))
	}
	if _, made := op.Kind.Answers(); made {
		ok = ok && s.hex(op.Answer[:])
	}
	if op.Kind.Commands() {
		var command []byte
		command, ok = s.command()
		op.SetCommand(command)
	}
	if !ok || len(s) > 0 {
		op.Withdraw()
		return false
	}
	return true
}

// command reads a card command with its length before it.
func (s *scanner) command() ([]byte, bool) {
	n, ok := s.number(16, 4)
	if !ok || 2*n > len(*s) {
		return nil, false
	}
	command := make([]byte, n)
	return command, s.hex(command)
}
