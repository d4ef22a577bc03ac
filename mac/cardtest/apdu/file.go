package apdu

import (
	"bytes"
	"encoding/binary"

	"pbochsm/mac/cardtest"
)

// A file is one of those that the card has.
type file uint16

// The files, by their identifiers.
const (
	noneSelected file = 0
	masterFile   file = 0x3F00
	purseFile    file = 0x3F01 // the purse application, an ADF
	publicFile        = file(cardtest.FilePublic)
	holderFile        = file(cardtest.FileHolder)
	compoundFile      = file(cardtest.FileCompound)
	recordFile        = file(cardtest.FileRecords)
	logFile      file = 0x0018 // 交易明细文件
)

// PurseAID is the name of the purse application, as terminals select it.
var PurseAID = []byte{0xA0, 0x00, 0x00, 0x00, 0x03, 0x86, 0x98, 0x07, 0x01}

// environment is the name of the payment system's directory, which is where
// the card is after a reset.
var environment = []byte("1PAY.SYS.DDF01")

// choose is SELECT, by name (P1 04) or by file identifier (P1 00).
func (c *Card) choose(cmd *command) ([]byte, error) {
	switch {
	case cmd.p1 == 0x04 && cmd.p2 == 0x00:
		switch {
		case bytes.Equal(cmd.data, PurseAID):
			return c.enter(purseFile)
		case bytes.Equal(cmd.data, environment):
			return c.enter(masterFile)
		}
		return nil, noFile
	case cmd.p1 == 0x00 && (cmd.p2 == 0x00 || cmd.p2 == 0x0C):
		if len(cmd.data) != 2 {
			return nil, wrongLength
		}
		return c.enter(file(binary.BigEndian.Uint16(cmd.data)))
	}
	return nil, wrongPointers
}

// enter makes f the current file.
func (c *Card) enter(f file) ([]byte, error) {
	switch f {
	case masterFile, purseFile:
		c.inPurse = f == purseFile
	case publicFile, holderFile, compoundFile, recordFile, logFile:
		if !c.inPurse {
			return nil, noFile
		}
		c.selected = f
		return nil, nil
	default:
		return nil, noFile
	}
	c.selected = f
	c.purse.Reset() // a transaction that was begun is over
	if f == purseFile {
		switch c.purse.Blocked() {
		case cardtest.AppBlocked: // it is selected all the same, to be unblocked
			return nil, cardtest.StatusBlocked
		case cardtest.AppBlockedGood:
			return nil, cardtest.StatusBlockedFully
		}
	}
	name := environment
	if f == purseFile {
		name = PurseAID
	}
	return tlv(0x6F, append(tlv(0x84, name), tlv(0xA5, nil)...)), nil
}

// tlv is a data object with a short tag and length.
func tlv(tag byte, value []byte) []byte { return append([]byte{tag, byte(len(value))}, value...) }

// binary finds the binary file that is current or named in P1 by its short
// identifier, and the offset in it; it makes the file the current one.
func (c *Card) binary(p1, p2 byte) (f file, offset int, err error) {
	f, offset = c.selected, int(p1)<<8|int(p2)
	if p1&0x80 != 0 {
		f, offset = file(p1&0x1F), int(p2)
		if p1&0x60 != 0 {
			return 0, 0, wrongPointers
		}
	}
	if f != publicFile && f != holderFile {
		return 0, 0, noFile
	}
	c.selected = f
	return f, offset, nil
}

// initial is what a binary file holds as the card leaves personalisation.
func (c *Card) initial(f file) []byte {
	if f == holderFile {
		return make([]byte, cardtest.HolderSize)
	}
	return c.publicData()
}

// readBinary is READ BINARY.
func (c *Card) readBinary(cmd *command) ([]byte, error) {
	f, offset, err := c.binary(cmd.p1, cmd.p2)
	if err != nil {
		return nil, err
	}
	content := c.purse.Binary(cardtest.File(f), c.initial(f))
	if offset >= len(content) {
		return nil, wrongOffset
	}
	content = content[offset:]
	if cmd.le >= 0 && cmd.le < len(content) {
		content = content[:cmd.le]
	}
	return content, nil
}

// publicData is the file 0015, 30 bytes: issuer 8, application type and version
// 1 each, serial number 10 with the 8 digits that diversify at its right end,
// start and end 4 each, issuer's own 2.
func (c *Card) publicData() []byte {
	asn := c.purse.ASN()
	b := append([]byte(nil), c.public.Issuer[:]...)
	b = append(b, 0x01, 0x01, 0x00, 0x00)
	b = append(b, asn[:]...)
	b = append(b, c.public.Start[:]...)
	b = append(b, c.public.Expires[:]...)
	return append(b, 0x00, 0x00)
}

// readRecord is READ RECORD, by number (the low bits of P2 are 100), or by the
// tag that a record begins with (000).
func (c *Card) readRecord(cmd *command) ([]byte, error) {
	f, tagged := file(cmd.p2>>3), cmd.p2&7 == 0
	switch {
	case !tagged && cmd.p2&7 != 0x04, tagged && f == logFile:
		return nil, wrongPointers
	case f == logFile:
		return c.readLog(cmd)
	case f != compoundFile && f != recordFile:
		return nil, noFile
	case tagged:
		return c.purse.TaggedRecord(cardtest.File(f), cmd.p1)
	}
	return c.purse.Record(cardtest.File(f), int(cmd.p1))
}

// readLog gives a record of the log, the youngest first. It has the counter
// after its increment, as on a real card. See [PBOC] 5.8.
func (c *Card) readLog(cmd *command) ([]byte, error) {
	log := c.purse.Log()
	n := int(cmd.p1)
	if n < 1 || n > len(log) {
		return nil, noRecord
	}
	r := log[len(log)-n]
	b := binary.BigEndian.AppendUint16(nil, r.Counter+1)
	b = append(b, limit(r.Limit)...)
	b = binary.BigEndian.AppendUint32(b, uint32(r.Amount))
	b = append(append(b, byte(r.Type)), r.Terminal[:]...)
	return append(append(b, r.Date[:]...), r.Time[:]...), nil
}
