package protocol

import (
	"fmt"

	"pbochsm/mac"
)

// A Form is how one field is written: its name in English and Chinese, and its
// digits: nH hexadecimal, nN decimal, nA characters, nB bytes.
type Form struct {
	Name    string
	Chinese string
	Digits  string
}

// A Command is a line of the command table, for documents and for tests that
// hold documents against it.
type Command struct {
	Code    string
	Reply   string
	Name    string
	Chinese string
	Fields  []Form // between the command and the LMK identifier or trailer
	Answer  []Form // after the status 00
}

var firmwareForm = Form{"firmware: dddd-xxxx", "固件版本", "9A"}

// Specification gives the command table.
func Specification() []Command {
	table := make([]Command, 0, numCommands)
	for i := range commands {
		c := &commands[i]
		reply := replyCode([]byte(c.code))
		line := Command{
			Code: c.code, Reply: string(reply[:]), Name: c.name, Chinese: c.chinese,
			Fields: append([]Form(nil), c.fields...), Answer: append([]Form(nil), c.answer...),
		}
		if c.kind != 0 && !c.kind.IsGeneric() {
			line.Fields, line.Answer = purseForms(c.kind)
		}
		table = append(table, line)
	}
	return table
}

// purseForms spells out what decodeOp reads and appendAnswer writes.
func purseForms(k mac.Kind) (fields, answer []Form) {
	fields = []Form{
		{"key set", "密钥组", "2H"},
		{"key version", "密钥版本", "2H"},
		{"algorithm identifier", "算法标识", "2H"},
		{"number of factors n", "分散因子个数n", "1N"},
		{"factors, outermost first", "分散因子,由外到内", "16H × n"},
	}
	for _, f := range k.Inputs() {
		if f.Counted() {
			fields = append(fields, Form{"length of the " + f.String(), f.Chinese() + "长度", "2H"})
		}
		fields = append(fields, fieldForm(f))
	}
	if f, ok := k.Answers(); ok {
		answer = []Form{fieldForm(f)}
	}
	if _, ok := k.WithSerial(); ok {
		answer = append([]Form{fieldForm(mac.TerminalSerial)}, answer...)
	}
	if k.Commands() {
		answer = []Form{{"length of the command n", "命令长度n", "4H"}, {"command, as the card takes it", "命令报文", "2nH"}}
	}
	return fields, answer
}

func fieldForm(f mac.Field) Form {
	digits := fmt.Sprintf("%dH", 2*f.Width())
	switch {
	case f.Counted() && f.Least() == f.Width():
		digits = "0 or " + digits
	case f.Counted():
		digits = fmt.Sprintf("%d to %dH", 2*f.Least(), 2*f.Width())
	case f == mac.Date || f == mac.Time:
		digits = fmt.Sprintf("%dN", 2*f.Width())
	}
	return Form{Name: f.String(), Chinese: f.Chinese(), Digits: digits}
}
