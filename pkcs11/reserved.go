//go:build cgo && !nopkcs11 && !windows

package pkcs11

/*
#include <stdlib.h>
*/
import "C"

import (
	"unsafe"

	"github.com/miekg/pkcs11"
)

// A reservedArg is the argument of an initialization, in C's memory. The module
// reads it while it initializes.
type reservedArg struct{ text *C.char }

func reserved(text string) reservedArg { return reservedArg{C.CString(text)} }

func (a reservedArg) option() pkcs11.InitializeOption {
	return pkcs11.InitializeWithReserved(unsafe.Pointer(a.text))
}

func (a reservedArg) free() { C.free(unsafe.Pointer(a.text)) }
