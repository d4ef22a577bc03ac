package lanes

import (
	"sync"

	"golang.org/x/sys/cpu"
)

// cores are the cores that this processor has, narrow before wide. The best one
// for SM4 needs other extensions than that for DES of the same width; without
// them it is that of the width below.
func cores() []core {
	var all []core
	sm4 := sm4Plain
	if cpu.X86.HasAVX512VBMI {
		all = append(all, core{
			lanes: fewLanes, upTo: upTo8, groups: &sync.Pool{New: func() any { return runner(newFew()) }}, sm4: newSM4Pool(sm4),
		})
	}
	all = append(all, newCore(core64, sm4))
	all[len(all)-1].upTo = upTo64
	if cpu.X86.HasAVX2 {
		if cpu.X86.HasAES {
			sm4 = sm4x256
		}
		all = append(all, newCore(core256, sm4))
	}
	if cpu.X86.HasAVX512F {
		if cpu.X86.HasAVX512BW && cpu.X86.HasAVX512GFNI {
			sm4 = sm4x512
		}
		all = append(all, newCore(core512, sm4))
	}
	return all
}

// core256 is AVX2.
var core256 = kernels[[4]uint64]{
	lanes: 256,
	load:  load256, store: store256, fill: fill256,
	rounds: rounds256, wire: wire256, fold: fold256,
	add: add256, invert: invert256, choose: choose256, part: part256,
}

// core512 is AVX-512, its foundation alone.
var core512 = kernels[[8]uint64]{
	lanes: 512,
	load:  load512, store: store512, fill: fill512,
	rounds: rounds512, wire: wire512, fold: fold512,
	add: add512, invert: invert512, choose: choose512, part: part512,
}
