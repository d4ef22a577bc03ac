//go:build cgo && !nopkcs11 && !windows

package pkcs11

/*
#cgo CFLAGS: -O2 -Wall -Wextra
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
)

// A library is the functions of a loaded module, for chain.c.
type library struct{ list *C.CK_FUNCTION_LIST }

// loadLibrary gives the functions of the module at path, which is loaded once
// for the process and never unloaded.
func loadLibrary(path string) (*library, error) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	l := new(library)
	if problem := C.library_open(name, &l.list); problem != nil {
		return nil, fmt.Errorf("pkcs11: %s: %s", path, C.GoString(problem))
	}
	return l, nil
}

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
