package protocol

import (
	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/digits"
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
	runs := k.Runs()
	for i := range runs {
		r := &runs[i]
		if r.Counted() {
			if err := s.counted(op, r.Fields[0]); err != nil {
				return err
			}
			continue
		}
		if !s.hex(r.Bytes(op)) {
			return s.firstMalformed(op, r.Fields)
		}
	}
	return nil
}

// counted reads a field with its length before it.
func (s *scanner) counted(op *mac.Op, f mac.Field) error {
	n, ok := s.number(16, 2)
	if !ok || !f.SetLen(op, n) || !s.hex(f.Bytes(op)) {
		return malformed(f.String())
	}
	return nil
}

// firstMalformed finds the field because of which fields cannot be read.
func (s *scanner) firstMalformed(op *mac.Op, fields []mac.Field) error {
	for _, f := range fields[:len(fields)-1] {
		if !s.hex(f.Bytes(op)) {
			return malformed(f.String())
		}
	}
	return malformed(fields[len(fields)-1].String())
}

// key reads KEY and FACTORS.
func (s *scanner) key(op *mac.Op) error {
	id, err := s.keyAndLevels()
	if err != nil {
		return err
	}
	op.Key = mac.KeyID{Set: id[0], Version: id[1], Algorithm: id[2]}
	op.Levels = id[3]
	for i := range op.Levels {
		if !s.hex(op.Factors[i][:]) {
			return malformed("factors")
		}
	}
	return nil
}

// keyAndLevels reads the three bytes of KEY and the number of factors. With the
// digit that follows these are eight digits, the most usual case.
func (s *scanner) keyAndLevels() (id [4]byte, err error) {
	const size = 7
	if len(*s) > size && digits.Decode(id[:], (*s)[:size+1]) {
		*s = (*s)[size:]
		id[3] >>= 4
	} else {
		if !s.hex(id[:3]) {
			return id, malformed("key")
		}
		n, ok := s.number(10, 1)
		if !ok {
			return id, malformed("factors")
		}
		id[3] = uint8(n)
	}
	if id[3] > keystore.MaxLevels {
		return id, malformed("factors")
	}
	return id, nil
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
	out = digits.Append(out, []byte{op.Key.Set, op.Key.Version, op.Key.Algorithm})
	out = append(out, '0'+op.Levels)
	for i := range op.Levels {
		out = digits.Append(out, op.Factors[i][:])
	}
	for _, f := range op.Kind.Inputs() {
		b := f.Bytes(op)
		if f.Counted() {
			out = appendNumber(out, len(b), 16, 2)
		}
		out = digits.Append(out, b)
	}
	return out
}

// appendAnswer appends what follows the status 00 of a purse command.
func appendAnswer(out []byte, op *mac.Op) []byte {
	if op.Kind.IsGeneric() {
		return digits.Append(out, answerOf(op))
	}
	if _, ok := op.Kind.Answers(); ok {
		out = digits.Append(out, op.Answer[:])
	}
	if op.Kind.Commands() {
		out = appendNumber(out, len(op.Command()), 16, 4)
		out = digits.Append(out, op.Command())
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
	if _, made := op.Kind.Answers(); made {
		ok = s.hex(op.Answer[:])
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
