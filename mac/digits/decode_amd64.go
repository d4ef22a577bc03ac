package digits

import "golang.org/x/sys/cpu"

// wide tells whether this processor decodes many digits at once; what does is
// in decode_amd64.s, which gen writes.
var wide = cpu.X86.HasAVX2

//go:noescape
func decode8to16(dst, text *byte, n int) bool

//go:noescape
func decode16to32(dst, text *byte, n int) bool
