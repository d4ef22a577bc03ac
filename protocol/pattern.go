package protocol

import (
	"bytes"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/digits"
)

// Most requests ask for an operation whose fields are as wide in one request as
// in the next. From its code on, such a request is digits in fixed places: it is
// held against the pattern of its command and number of factors, and all of it is
// decoded at once. What does not have the pattern is for the scanner, which reads
// the same and knows what is wrong.

const keySize = 3 // bytes of a mac.KeyID

// patterns are those of each command by the number of factors, by one more than
// the place of the command; nil where there is none.
var patterns = makePatterns()

func makePatterns() *[numCommands + 1][keystore.MaxLevels + 1]*digits.Pattern {
	all := new([numCommands + 1][keystore.MaxLevels + 1]*digits.Pattern)
	for i := range commands {
		for levels := range all[i+1] {
			all[i+1][levels] = makePattern(&commands[i], levels)
		}
	}
	return all
}

// makePattern makes the pattern of the requests of a command with so many
// factors, from their code to their last field.
func makePattern(c *command, levels int) *digits.Pattern {
	if c.kind == 0 || c.kind.IsGeneric() {
		return nil
	}
	op := &mac.Op{Kind: c.kind, Levels: uint8(levels)}
	text := []byte(c.code)
	var values []digits.Value
	value := func(width, to int) {
		values = append(values, digits.Value{At: len(text), Digits: 2 * width, To: to})
		text = append(text, bytes.Repeat([]byte{'0'}, 2*width)...)
	}
	value(keySize, placeIn(op, &op.Key.Set))
	text = append(text, '0'+byte(levels))
	for i := range levels {
		value(len(op.Factors[i]), placeIn(op, &op.Factors[i][0]))
	}
	for _, r := range c.kind.Runs() {
		if r.Counted() {
			return nil
		}
		value(len(r.Bytes(op)), placeIn(op, &r.Bytes(op)[0]))
	}
	p, ok := digits.NewPattern(text, op.Fixed(), values, nil, [2]byte{})
	if !ok {
		return nil
	}
	return p
}

// placeIn finds a byte of op, which is zero, among its fixed ones.
func placeIn(op *mac.Op, b *byte) int {
	*b = 0xFF
	defer func() { *b = 0 }()
	return bytes.IndexByte(op.Fixed(), 0xFF)
}

// patternOf gives the pattern that a request, from its code on, should have.
func patternOf(command uint8, text []byte) *digits.Pattern {
	const at = commandSize + 2*keySize
	if len(text) <= at {
		return nil
	}
	levels := text[at] - '0'
	if levels > keystore.MaxLevels {
		return nil
	}
	return patterns[command][levels]
}

// decodePlain makes the operation that text begins with, if it has the pattern,
// of which the code is known. It gives how long that is, 0 if it has not: op is
// then as it was. What lies behind text in the same memory may be read.
func decodePlain(op *mac.Op, command uint8, text []byte) int {
	p := patternOf(command, text)
	if p == nil || len(text) < p.Size() || !p.Decode(op.Fixed(), text[:min(cap(text), p.Size()+digits.PatternRoom)]) {
		return 0
	}
	return p.Size()
}
