package lanes

// The vector cores of SM4 are in sm4x256_amd64.s and sm4x512_amd64.s, which gen
// writes. Each function takes groups of blocks: of one part with AVX2 or where
// there are few, else of all lanes.

//go:noescape
func sm4Expand256(rk *sm4Key, rows *sm4Rows, groups int)

//go:noescape
func sm4Encrypt256(rk *sm4Key, rows, more *sm4Rows, groups int)

//go:noescape
func sm4Expand512(rk *sm4Key, rows *sm4Rows, groups int)

//go:noescape
func sm4Encrypt512(rk *sm4Key, rows, more *sm4Rows, groups int)

//go:noescape
func sm4Expand512few(rk *sm4Key, rows *sm4Rows, groups int)

//go:noescape
func sm4Encrypt512few(rk *sm4Key, rows, more *sm4Rows, groups int)

var sm4x256 = sm4Core{
	name:    "AVX2 and AES-NI",
	lanes:   sm4Lanes,
	expand:  func(rk *sm4Key, keys *sm4Rows, n int) { sm4Expand256(rk, keys, sm4Parts(n)) },
	encrypt: func(rk *sm4Key, blocks, more *sm4Rows, n int) { sm4Encrypt256(rk, blocks, more, sm4Parts(n)) },
}

// sm4x512 takes two parts in less time as a part of all than one after the other.
var sm4x512 = sm4Core{
	name:  "AVX-512 and GFNI",
	lanes: sm4Lanes,
	expand: func(rk *sm4Key, keys *sm4Rows, n int) {
		if n <= sm4Part {
			sm4Expand512few(rk, keys, 1)
			return
		}
		sm4Expand512(rk, keys, 1)
	},
	encrypt: func(rk *sm4Key, blocks, more *sm4Rows, n int) {
		if n <= sm4Part {
			sm4Encrypt512few(rk, blocks, more, 1)
			return
		}
		sm4Encrypt512(rk, blocks, more, 1)
	},
}
