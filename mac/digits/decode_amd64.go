package digits

import "golang.org/x/sys/cpu"

// wide tells whether this processor decodes many digits at once; what does is
// in decode_amd64.s, which gen writes.
var wide = cpu.X86.HasAVX2

// vbmi tells whether it permutes bytes across a register of 64.
var vbmi = cpu.X86.HasAVX512VBMI && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL && wide

//go:noescape
func decode8to16(dst, text *byte, n int) bool

//go:noescape
func decode16to32(dst, text *byte, n int) bool

//go:noescape
func matchBlocks(text *byte, blocks *patternBlock, n int, never *[2]byte) bool

//go:noescape
func moveDigits(record, text *byte, moves *move, n int)

//go:noescape
func keepStill(record, still, kept *byte, n int)

//go:noescape
func decode128(record, text *byte, p *widePattern, never *[2]byte) bool

//go:noescape
func decode256(record, text *byte, p *widePattern, never *[2]byte) bool
