package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// What follows must be laid out as wideBlock, widePiece and widePattern are.
const (
	wideText    = 64 // bytes of a text in a register
	wideSame    = 0
	wideFixed   = wideSame + wideText
	wideDigit   = wideFixed + 8
	wideOpen    = wideDigit + 8
	wideThere   = wideOpen + 8
	wideBlock   = wideThere + 8
	wideBlocks  = 4
	widePieces  = 4
	pieceTaken  = 2 * wideText
	pieceStill  = pieceTaken + 2*8
	pieceTo     = pieceStill + 32
	widePiece   = pieceTo + 8
	firstPiece  = wideBlocks * wideBlock
	widePattern = firstPiece + widePieces*widePiece
)

// values gives the table of what each of the lower 128 bytes is as a digit: 80
// if it is none.
func (c *writer) values() [2]operand.Mem {
	var halves [2]operand.Mem
	for half := range halves {
		halves[half] = c.StaticGlobal(fmt.Sprintf("values%d", half))
		c.DataAttributes(attr.RODATA | attr.NOPTR)
		for eight := range 8 {
			x := uint64(0)
			for i := range 8 {
				x |= uint64(valueOf(byte(64*half+8*eight+i))) << (8 * i)
			}
			c.AppendDatum(operand.U64(x))
		}
	}
	return halves
}

func valueOf(digit byte) byte {
	switch {
	case '0' <= digit && digit <= '9':
		return digit - '0'
	case 'A' <= digit && digit <= 'F':
		return digit - 'A' + 10
	case 'a' <= digit && digit <= 'f':
		return digit - 'a' + 10
	}
	return 0x80
}

// decodeWide writes a function that holds a text of so many blocks of 64 bytes
// against its pattern and then makes the record. A table look-up gives the values of
// 64 digits, and a permutation brings them to where the record has them. The
// text stays in registers all the time, and nothing after its end is read.
func (c *writer) decodeWide(name string, table [2]operand.Mem, blocks int) {
	c.Function(name)
	c.Attributes(attr.NOSPLIT)
	c.SignatureExpr("func(record, text, p, never *byte) bool")
	c.Doc(fmt.Sprintf("%s decodes a text of at most %d bytes, if it has the pattern.", name, blocks*wideText))
	record, text := c.Load(c.Param("record"), c.GP64()), c.Load(c.Param("text"), c.GP64())
	p, never := c.Load(c.Param("p"), c.GP64()), c.Load(c.Param("never"), c.GP64())
	tables := [2]reg.VecVirtual{c.ZMM(), c.ZMM()}
	banned := [2]reg.VecVirtual{c.ZMM(), c.ZMM()}
	for i := range 2 {
		c.VMOVDQU64(table[i], tables[i])
		c.VPBROADCASTB(operand.Mem{Base: never, Disp: i}, banned[i])
	}
	fault := c.GP64()
	c.XORQ(fault, fault)
	values := make([]reg.VecVirtual, blocks)
	for i := range values {
		values[i] = c.matchWide(operand.Mem{Base: text, Disp: i * wideText}, p, i*wideBlock, tables, banned, fault)
	}
	ok, err := c.ReturnIndex(0).Resolve()
	if err != nil {
		panic(err)
	}
	c.TESTQ(fault, fault)
	c.JNE(operand.LabelRef("none"))
	sixteens := c.ZMM()
	c.VPBROADCASTD(c.bytes["sixteens"], sixteens)
	for i := range widePieces {
		c.pieceWide(record, p, firstPiece+i*widePiece, values, sixteens)
	}
	c.MOVB(operand.U8(1), ok.Addr)
	c.VZEROUPPER()
	c.RET()
	c.Label("none")
	c.MOVB(operand.U8(0), ok.Addr)
	c.VZEROUPPER()
	c.RET()
}

// matchWide gives the values of the digits of a block of the text, and sets bits
// of fault where the block is not as its pattern, at an offset of p, says.
func (c *writer) matchWide(text operand.Mem, p reg.Register, at int, tables, banned [2]reg.VecVirtual, fault reg.GPVirtual) (values reg.VecVirtual) {
	part := func(offset int) operand.Mem { return operand.Mem{Base: p, Disp: at + offset} }
	mask := func(offset int) reg.OpmaskVirtual {
		k := c.K()
		c.KMOVQ(part(offset), k)
		return k
	}
	note := func(found reg.OpmaskVirtual) {
		bits := c.GP64()
		c.KMOVQ(found, bits)
		c.ORQ(bits, fault)
	}
	x, values, odd := c.ZMM(), c.ZMM(), c.ZMM()
	c.VMOVDQU8_Z(text, mask(wideThere), x)
	c.VMOVDQA64(x, values)
	c.VPERMI2B(tables[1], tables[0], values)
	c.VPORQ(x, values, odd)
	found, digit := c.K(), mask(wideDigit)
	c.VPMOVB2M(odd, found)
	c.KANDQ(found, digit, found)
	note(found)
	found = c.K()
	c.VPCMPUB(operand.U8(notEqual), part(wideSame), x, mask(wideFixed), found)
	note(found)
	for _, b := range banned {
		found := c.K()
		c.VPCMPEQB(b, x, mask(wideOpen), found)
		note(found)
	}
	return values
}

// notEqual is the predicate of a comparison.
const notEqual = 4

// pieceWide makes 32 bytes of the record, as the piece at an offset of p says.
func (c *writer) pieceWide(record, p reg.Register, at int, values []reg.VecVirtual, sixteens reg.VecVirtual) {
	part := func(offset int) operand.Mem { return operand.Mem{Base: p, Disp: at + offset} }
	var digits reg.VecVirtual
	for i := 0; i < len(values); i += 2 {
		from, taken := c.ZMM(), c.K()
		c.VMOVDQU64(part(i/2*wideText), from)
		c.KMOVQ(part(pieceTaken+i/2*8), taken)
		c.VPERMI2B_Z(values[i+1], values[i], taken, from)
		if i == 0 {
			digits = from
		} else {
			c.VPORQ(from, digits, digits)
		}
	}
	bytes, to := c.YMM(), c.GP64()
	c.VPMADDUBSW(sixteens, digits, digits)
	c.VPMOVWB(digits, bytes)
	c.VPOR(part(pieceStill), bytes, bytes)
	c.MOVQ(part(pieceTo), to)
	c.VMOVDQU(bytes, operand.Mem{Base: record, Index: to, Scale: 1})
}
