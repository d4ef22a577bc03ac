package main

import (
	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// match writes the function that holds a text against the blocks of a pattern,
// 32 bytes after the other.
func (c *writer) match() {
	const block = 32
	c.Function("matchBlocks")
	c.Attributes(attr.NOSPLIT)
	c.SignatureExpr("func(text, blocks *byte, n int, never *byte) bool")
	c.Doc("matchBlocks tells whether n blocks fit the text.")
	text, blocks := c.Load(c.Param("text"), c.GP64()), c.Load(c.Param("blocks"), c.GP64())
	n, never := c.Load(c.Param("n"), c.GP64()), c.Load(c.Param("never"), c.GP64())
	var banned [2]reg.VecVirtual
	for i := range banned {
		banned[i] = c.YMM()
		c.VPBROADCASTB(operand.Mem{Base: never, Disp: i}, banned[i])
	}
	differs, odd := c.YMM(), c.YMM() // any bit, top bits
	c.VPXOR(differs, differs, differs)
	c.VPXOR(odd, odd, odd)
	c.Label("block")
	_, bad := c.nibbles(operand.Mem{Base: text}, block/2)
	x, equal := c.YMM(), c.YMM()
	part := func(i int) operand.Mem { return operand.Mem{Base: blocks, Disp: i * block} }
	c.VMOVDQU(operand.Mem{Base: text}, x)
	c.VPAND(part(2), bad, bad)
	c.VPOR(bad, odd, odd)
	c.VPCMPEQB(banned[0], x, equal)
	c.VPCMPEQB(banned[1], x, bad)
	c.VPOR(equal, bad, bad)
	c.VPAND(part(3), bad, bad)
	c.VPOR(bad, differs, differs)
	c.VPXOR(part(0), x, x)
	c.VPAND(part(1), x, x)
	c.VPOR(x, differs, differs)
	c.ADDQ(operand.Imm(block), text)
	c.ADDQ(operand.Imm(4*block), blocks)
	c.DECQ(n)
	c.JNZ(operand.LabelRef("block"))
	ok, err := c.ReturnIndex(0).Resolve()
	if err != nil {
		panic(err)
	}
	c.VPOR(odd, differs, differs)
	c.VPTEST(differs, differs)
	c.SETEQ(ok.Addr)
	c.VZEROUPPER()
	c.RET()
}

// moveDigits writes the function that decodes what a pattern has found to be
// digits. It reads nothing of the record: what was written in small pieces a moment
// ago is slow to read in others.
func (c *writer) moveDigits() {
	c.Function("moveDigits")
	c.Attributes(attr.NOSPLIT)
	c.SignatureExpr("func(record, text, moves *byte, n int)")
	c.Doc("moveDigits decodes 16 digits for each of n moves.")
	record, text := c.Load(c.Param("record"), c.GP64()), c.Load(c.Param("text"), c.GP64())
	moves, n := c.Load(c.Param("moves"), c.GP64()), c.Load(c.Param("n"), c.GP64())
	nine, nines, low, sixteens := c.all("nine", 8), c.all("nines", 8), c.all("low", 8), c.all("sixteens", 8)
	c.Label("move")
	from, to := c.GP64(), c.GP64()
	x, letter := c.XMM(), c.XMM()
	c.MOVQ(operand.Mem{Base: moves}, from)
	c.MOVQ(operand.Mem{Base: moves, Disp: 8}, to)
	c.VMOVDQU(operand.Mem{Base: text, Index: from, Scale: 1}, x)
	c.VPCMPGTB(nine, x, letter)
	c.VPAND(nines, letter, letter)
	c.VPADDB(letter, x, x)
	c.VPAND(low, x, x)
	c.VPMADDUBSW(sixteens, x, x)
	c.VPACKUSWB(x, x, x)
	c.VMOVQ(x, operand.Mem{Base: record, Index: to, Scale: 1})
	c.ADDQ(operand.Imm(16), moves)
	c.DECQ(n)
	c.JNZ(operand.LabelRef("move"))
	c.VZEROUPPER()
	c.RET()
}

// keepStill writes the function that gives a record what all records of a
// pattern have. It takes 32 bytes at a time; the last ones may overlap.
func (c *writer) keepStill() {
	const block = 32
	c.Function("keepStill")
	c.Attributes(attr.NOSPLIT)
	c.SignatureExpr("func(record, still, kept *byte, n int)")
	c.Doc("keepStill copies those of n bytes that are kept, n at least 32.")
	record, still := c.Load(c.Param("record"), c.GP64()), c.Load(c.Param("still"), c.GP64())
	kept, n := c.Load(c.Param("kept"), c.GP64()), c.Load(c.Param("n"), c.GP64())
	at := c.GP64()
	c.XORQ(at, at)
	c.SUBQ(operand.Imm(block), n)
	c.Label("whole")
	place := func(base reg.Register) operand.Mem { return operand.Mem{Base: base, Index: at, Scale: 1} }
	mask, x := c.YMM(), c.YMM()
	c.VMOVDQU(place(kept), mask)
	c.VMOVDQU(place(record), x)
	c.VPBLENDVB(mask, place(still), x, x)
	c.VMOVDQU(x, place(record))
	c.CMPQ(at, n)
	c.JEQ(operand.LabelRef("done"))
	c.ADDQ(operand.Imm(block), at)
	c.CMPQ(at, n)
	c.CMOVQGT(n, at)
	c.JMP(operand.LabelRef("whole"))
	c.Label("done")
	c.VZEROUPPER()
	c.RET()
}
