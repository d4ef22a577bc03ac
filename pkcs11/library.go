//go:build cgo && !nopkcs11 && !windows

package pkcs11

/*
#cgo CFLAGS: -O2 -Wall
#cgo LDFLAGS: -ldl
#cgo noescape chain_run
#cgo nocallback chain_run
#include <stdlib.h>
#include "chain.h"
*/
import "C"

import (
	"fmt"
	"unsafe"

	"github.com/miekg/pkcs11"

	"pbochsm/mac"
)

// A library is the functions of a loaded module, for chain.c.
type library struct{ list *C.CK_FUNCTION_LIST }

// loadLibrary gives the functions of the module at path, which is loaded once
// for the process and never unloaded. Threads is how many are to compute in it at
// a time.
func loadLibrary(path string, threads int) (*library, error) {
	C.library_spare(C.int(threads))
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	l := new(library)
	if problem := C.library_open(name, &l.list); problem != nil {
		return nil, fmt.Errorf("pkcs11: %s: %s", path, C.GoString(problem))
	}
	return l, nil
}

// trim gives the system what a finalized module has freed.
func trim() { C.library_trim() }

// A recipe is a profile as chain.c wants it.
type recipe = C.struct_recipe

// A link is a chain as chain.c wants it, with its results.
type link = C.struct_chain

// run computes one chain on a session that nobody else uses.
func (l *library) run(r *recipe, s pkcs11.SessionHandle, c *link) error {
	C.chain_run(l.list, r, C.CK_SESSION_HANDLE(s), c)
	if c.rv == 0 {
		return nil
	}
	return callError(steps[c.step], pkcs11.Error(c.rv))
}

// steps are the calls of chain.c, by enum step.
var steps = [...]string{
	C.STEP_NONE: "chain", C.STEP_DERIVE: "C_DeriveKey", C.STEP_READ: "C_GetAttributeValue", C.STEP_WRAP: "C_WrapKey",
	C.STEP_UNWRAP: "C_UnwrapKey", C.STEP_CREATE: "C_CreateObject",
	C.STEP_ENCRYPT_INIT: "C_EncryptInit", C.STEP_ENCRYPT: "C_Encrypt",
}

func ulong[T int | uint | pkcs11.ObjectHandle](v T) C.CK_ULONG { return C.CK_ULONG(v) }

func byteOf[T ~uint8](v T) C.CK_BYTE { return C.CK_BYTE(v) }

func flag(set bool) C.CK_BYTE {
	if set {
		return 1
	}
	return 0
}

// fill describes a chain that begins at a key of the token. A chain whose key
// is there already, kept from an earlier one, has no levels left.
func fill(l *link, c *mac.Chain, key pkcs11.ObjectHandle, final C.CK_BYTE, levels uint8) {
	l.key, l.discard, l.keep = ulong(key), 0, 0
	l.final, l.levels, l.mode = final, C.CK_BYTE(levels), modes[c.Mode]
	copy(bytesOf(&l.factors), bytesOf(&c.Factors))
	copy(bytesOf(&l.data), c.Data[:])
	copy(bytesOf(&l.lock), c.Lock[:])
	if c.Script != nil {
		copy(bytesOf(&l.iv), c.Script.IV[:])
		l.length = [2]C.ushort{C.ushort(copy(bytesOf(&l.message[0]), c.Script.Data))}
		return
	}
	for i := range c.Message {
		n := 8 * int(c.Message[i].Blocks)
		l.length[i] = C.ushort(n)
		copy(bytesOf(&l.message[i]), c.Message[i].Data[:n])
	}
}

// collect copies what a chain that went well has made.
func collect(l *link, c *mac.Chain) {
	switch c.Mode {
	case mac.ModeEncipher:
		copy(c.Script.Data, bytesOf(&l.message[0]))
	case mac.ModeRetail:
		copy(c.MAC[0][:], bytesOf(&l.mac[0]))
	default:
		for i := range c.MAC {
			if c.Message[i].Blocks > 0 {
				copy(c.MAC[i][:], bytesOf(&l.mac[i]))
			}
		}
	}
}

// wipe clears what a chain has left: MACs, and what a script would encipher.
func wipe(l *link) {
	clear(bytesOf(&l.mac))
	if l.mode != modes[mac.ModeTransaction] {
		clear(bytesOf(&l.message[0])[:l.length[0]])
	}
}

// bytesOf is the memory of a value.
func bytesOf[T any](v *T) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v)) }

// The finals of chain.h.
const (
	finalSession = C.FINAL_SESSION
	finalFold    = C.FINAL_FOLD
	finalCard    = C.FINAL_CARD
	finalReady   = C.FINAL_READY
	finalLock    = C.FINAL_LOCK
)

// modes are the modes of chain.h, by those of a chain.
var modes = [...]C.CK_BYTE{
	mac.ModeTransaction: C.MODE_TRANSACTION, mac.ModeRetail: C.MODE_RETAIL, mac.ModeEncipher: C.MODE_ENCIPHER,
}

type cByte = C.CK_BYTE
