package apdu

import (
	"encoding/binary"
	"errors"

	"pbochsm/mac"
	"pbochsm/mac/cardtest"
)

// A word is the two bytes at the end of every answer, SW1 SW2.
type word uint16

// Status words of this layer; those of a transaction are cardtest's.
const (
	done          word = 0x9000
	wrongLength   word = 0x6700
	wrongState    word = 0x6985 // the purse application is not selected
	noMessaging   word = 0x6987 // no MAC where there must be one
	wrongData     word = 0x6A80
	noFile        word = 0x6A82
	noRecord      word = 0x6A83
	wrongPointers word = 0x6A86 // P1 P2
	wrongOffset   word = 0x6B00
	exactLength   word = 0x6C00 // and the right Le in SW2
	noCommand     word = 0x6D00
	noClass       word = 0x6E00
	failure       word = 0x6F00
)

// Public is the public application data, file 0015 公共应用基本数据文件, besides the
// card's serial number.
type Public struct {
	Issuer  [8]byte     // 发卡方标识
	Start   mac.BCDDate // 应用启用日期
	Expires mac.BCDDate // 应用有效日期
}

// A Card answers APDUs with a purse card. It is used by one reader at a time.
type Card struct {
	purse    *cardtest.Card
	public   Public
	selected file // whose file is current
	inPurse  bool // the purse application is
}

// New puts a reader's interface before a purse card.
func New(purse *cardtest.Card, public Public) *Card { return &Card{purse: purse, public: public} }

// ATR is the answer to reset: T=0, and historical bytes that say what it is.
func ATR() []byte {
	const historical = "PBOC-EDEP"
	return append([]byte{0x3B, 0x60 | byte(len(historical)), 0x00, 0x00}, historical...)
}

// Reset takes the power away and gives it back.
func (c *Card) Reset() {
	c.purse.Reset()
	c.selected, c.inPurse = noneSelected, false
}

// A command is a command APDU, taken apart.
type command struct {
	class, ins, p1, p2 byte
	data               []byte
	le                 int // what the reader expects at most; -1: nothing said
}

// parse takes a short APDU of any of the four cases apart.
func parse(b []byte) (cmd command, ok bool) {
	if len(b) < 4 {
		return cmd, false
	}
	cmd = command{class: b[0], ins: b[1], p1: b[2], p2: b[3], le: -1}
	switch body := b[4:]; {
	case len(body) == 0:
	case len(body) == 1:
		cmd.le = expected(body[0])
	case len(body) == 1+int(body[0]):
		cmd.data = body[1:]
	case len(body) == 2+int(body[0]) && body[0] != 0:
		cmd.data, cmd.le = body[1:1+body[0]], expected(body[1+body[0]])
	default:
		return cmd, false
	}
	return cmd, true
}

// expected reads Le: 00 stands for 256.
func expected(le byte) int { return int(le-1) + 1 }

// Transmit answers one command APDU with data and status word. If the card was
// torn from the reader there is no answer, and cardtest.ErrTorn.
func (c *Card) Transmit(apdu []byte) ([]byte, error) {
	cmd, ok := parse(apdu)
	if !ok {
		return wrongLength.answer(nil), nil
	}
	run, w := find(&cmd)
	if run == nil {
		return w.answer(nil), nil
	}
	data, err := run(c, &cmd)
	if cmd.ins != insChallenge {
		c.purse.DropChallenge()
	}
	var s cardtest.Status
	switch {
	case errors.Is(err, cardtest.ErrTorn):
		c.selected, c.inPurse = noneSelected, false
		return nil, err
	case errors.As(err, &s):
		return word(s).answer(nil), nil
	case errors.As(err, &w):
		return w.answer(nil), nil
	case err != nil:
		return failure.answer(nil), err
	}
	if cmd.le >= 0 && cmd.le < len(data) && cmd.le != 256 {
		return (exactLength | word(len(data)&0xFF)).answer(nil), nil
	}
	return done.answer(data), nil
}

func (w word) Error() string { return "apdu: the card refuses" }

func (w word) answer(data []byte) []byte {
	return binary.BigEndian.AppendUint16(append([]byte(nil), data...), uint16(w))
}

// A handler carries out one command.
type handler func(c *Card, cmd *command) ([]byte, error)

// commands is the table: class and instruction, how long the data must be (-1:
// the handler looks), where it is understood.
var commands = []struct {
	class, ins byte
	length     int
	place      place
	run        handler
}{
	{0x00, 0xA4, -1, anywhere, (*Card).choose},
	{0x00, insChallenge, 0, anywhere, (*Card).challenge},
	{0x00, 0x20, -1, inPurse, (*Card).verifyPIN},
	{0x00, 0xB0, 0, inPurse, (*Card).readBinary},
	{0x00, 0xB2, 0, inPurse, (*Card).readRecord},
	{0x04, 0xD6, -1, inPurse, secured((*Card).updateBinary)},
	{0x04, 0xDC, -1, inPurse, secured((*Card).updateRecord)},
	{0x80, 0x50, -1, inPurse, (*Card).initialize},
	{0x80, 0x52, 11, inPurse, (*Card).credit},
	{0x80, 0x54, -1, inPurse, (*Card).debit},
	{0x80, 0x58, 14, inPurse, (*Card).updateLimit},
	{0x80, 0x5A, 2, inPurse, (*Card).prove},
	{0x80, 0x5C, 0, inPurse, (*Card).balance},
	{0x80, 0x5E, -1, inPurse, (*Card).changePIN},
	{0x80, 0xCA, 0, inPurse, (*Card).authCode},
	{0x80, 0xDC, -1, inPurse, (*Card).stage},
	{0x84, 0x16, 4, anywhere, secured((*Card).blockCard)},
	{0x84, 0x18, 4, whileBlocked, secured((*Card).unblockApplication)},
	{0x84, 0x1E, 4, inPurse, secured((*Card).blockApplication)},
	{0x84, 0x24, -1, inPurse, secured((*Card).unblockPIN)},
	{0x84, 0xD4, -1, inPurse, secured((*Card).writeKey)},
}

const insChallenge = 0x84

// A place says where a command is understood.
type place uint8

const (
	anywhere     place = iota
	inPurse            // the purse application is selected, and not blocked
	whileBlocked       // the purse application is selected
)

// find looks a command up; without one it says what is wrong with it.
func find(cmd *command) (handler, word) {
	w := noClass
	for i := range commands {
		row := &commands[i]
		if row.class == cmd.class {
			w = noCommand
		}
		if row.class != cmd.class || row.ins != cmd.ins {
			continue
		}
		if row.length >= 0 && len(cmd.data) != row.length {
			return nil, wrongLength
		}
		return row.place.guard(row.run), 0
	}
	return nil, w
}

// guard refuses what is not understood where the card is.
func (p place) guard(run handler) handler {
	return func(c *Card, cmd *command) ([]byte, error) {
		switch blocked := c.purse.Blocked(); {
		case blocked == cardtest.CardBlocked:
			return nil, cardtest.StatusBlocked
		case p == anywhere:
		case !c.inPurse:
			return nil, wrongState
		case blocked == cardtest.AppBlockedGood:
			return nil, cardtest.StatusBlockedFully
		case blocked == cardtest.AppBlocked && p != whileBlocked:
			return nil, cardtest.StatusBlocked
		}
		return run(c, cmd)
	}
}
