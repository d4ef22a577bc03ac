package transcript

import "fmt"

// A command is a command APDU, split up.
type command struct {
	class, ins, p1, p2 byte
	lc, le             int // -1: there is none
	data               []byte
}

// split takes a short APDU of any of the four cases apart.
func split(b []byte) (c command, ok bool) {
	if len(b) < 4 {
		return c, false
	}
	c = command{class: b[0], ins: b[1], p1: b[2], p2: b[3], lc: -1, le: -1}
	body := b[4:]
	switch {
	case len(body) == 0:
	case len(body) == 1:
		c.le = int(body[0])
	case len(body) == 1+int(body[0]):
		c.lc, c.data = int(body[0]), body[1:]
	case len(body) == 2+int(body[0]):
		c.lc, c.data, c.le = int(body[0]), body[1:1+body[0]], int(body[1+body[0]])
	default:
		return c, false
	}
	return c, true
}

func formOf(c *command) (*form, bool) {
	for i := range forms {
		if forms[i].fits(c) {
			return &forms[i], true
		}
	}
	return nil, false
}

// statusWords say what SW1 SW2 mean. See [PBOC] 10.
var statusWords = map[uint16]string{
	0x9000: "done", 0x6283: "file or application blocked, or a check value wrong", 0x6581: "memory failure", 0x6700: "wrong length", 0x6900: "CLA and line protection disagree",
	0x6901: "out of order, as CREDIT without INITIALIZE", 0x6982: "security status: a PIN or an authentication is missing", 0x6983: "key or PIN locked",
	0x6985: "conditions of use", 0x6987: "secure-messaging object missing", 0x6988: "secure-messaging object wrong: its MAC",
	0x6A80: "wrong data", 0x6A81: "application or card blocked", 0x6A82: "no such file", 0x6A83: "no such record", 0x6A86: "wrong P1 P2",
	0x6B00: "wrong offset", 0x6D00: "no such instruction", 0x6E00: "no such class", 0x6F00: "the card does not say why",
	0x9302: "MAC wrong", 0x9303: "application blocked for good", 0x9401: "balance insufficient", 0x9402: "counter at its maximum",
	0x9403: "no key at this index", 0x9406: "MAC or TAC not available", 0x9407: "CAPP locked", 0x9408: "grey-locked",
}

// meaningOf is what a status word means.
func meaningOf(sw uint16) string {
	switch {
	case sw&0xFFF0 == 0x63C0:
		return fmt.Sprintf("wrong, %d tries left", sw&0x0F)
	case sw>>8 == 0x61:
		return fmt.Sprintf("%d bytes more: GET RESPONSE", sw&0xFF)
	case sw>>8 == 0x6C:
		return fmt.Sprintf("wrong Le: %d bytes are there", sw&0xFF)
	}
	if text, known := statusWords[sw]; known {
		return text
	}
	return "unknown status word"
}

// plausible tells whether sw can be a status word.
func plausible(sw uint16) bool { return sw>>8 >= 0x61 && sw>>8 <= 0x6F || sw>>12 == 9 }
