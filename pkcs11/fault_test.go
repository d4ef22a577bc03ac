//go:build cgo && !nopkcs11 && linux

package pkcs11_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"pbochsm/pkcs11/tokentest"
)

// The functions that testdata/fault.c can spoil, by enum function.
const (
	anyCall = iota
	callInitialize
	callFinalize
	callGetSlotList
	callGetTokenInfo
	callOpenSession
	callCloseSession
	callGetSessionInfo
	callLogin
	callCreateObject
	callCopyObject
	callDestroyObject
	callGetAttributeValue
	callFindInit
	callFind
	callFindFinal
	callEncryptInit
	callEncrypt
	callGenerateKey
	callDeriveKey
	calls
)

var callNames = [calls]string{
	"any call", "C_Initialize", "C_Finalize", "C_GetSlotList", "C_GetTokenInfo", "C_OpenSession", "C_CloseSession",
	"C_GetSessionInfo", "C_Login", "C_CreateObject", "C_CopyObject", "C_DestroyObject", "C_GetAttributeValue",
	"C_FindObjectsInit", "C_FindObjects", "C_FindObjectsFinal", "C_EncryptInit", "C_Encrypt", "C_GenerateKey", "C_DeriveKey",
}

// What a rule does, by enum action.
const (
	refuse = iota + 1
	doAndRefuse
	hang
	renumber
)

var actionNames = [...]string{refuse: "refuse", doAndRefuse: "do and refuse", hang: "hang", renumber: "renumber"}

// A rule is struct rule of testdata/fault.c.
type rule struct {
	armed, function, after, times, action, code, millis, fired uint32
}

// A controlBlock is struct control of testdata/fault.c.
type controlBlock struct {
	rules              [4]rule
	vendor, inlineData uint32
	noXOR, _           uint32
	logins             uint64
	lastLogin          uint64
	leastGap           uint64 // between two logins, in ns
	calls              [calls]uint64
}

// arm puts rules in force.
func (c *controlBlock) arm(rules ...rule) {
	for i, r := range rules {
		p := &c.rules[i]
		p.function, p.after, p.times, p.action, p.code, p.millis = r.function, r.after, r.times, r.action, r.code, r.millis
		atomic.StoreUint32(&p.fired, 0)
		atomic.StoreUint32(&p.armed, 1)
	}
}

// disarm ends all rules, and hangs too. It tells how often they have fired.
func (c *controlBlock) disarm() (fired uint32) {
	for i := range c.rules {
		atomic.StoreUint32(&c.rules[i].armed, 0)
		fired += atomic.LoadUint32(&c.rules[i].fired)
	}
	return fired
}

func (c *controlBlock) fired() (n uint32) {
	for i := range c.rules {
		n += atomic.LoadUint32(&c.rules[i].fired)
	}
	return n
}

// faulty puts the module of testdata/fault.c before that of f.
func faulty(t testing.TB, f tokentest.Fixture) (tokentest.Fixture, *controlBlock) {
	t.Helper()
	module := compile(t, "fault.so", "testdata/fault.c", "-fPIC", "-shared")
	name := filepath.Join(t.TempDir(), "control")
	if err := os.WriteFile(name, make([]byte, unsafe.Sizeof(controlBlock{})), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	memory, err := unix.Mmap(int(file.Fd()), 0, int(unsafe.Sizeof(controlBlock{})), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("FAULT_MODULE", f.Module)
	t.Setenv("FAULT_CONTROL", name)
	f.Module = module
	return f, (*controlBlock)(unsafe.Pointer(&memory[0]))
}

// compile makes a program or a module of a C file. Every call gives a file of its
// own, for a module has one state for each file that it is loaded from.
func compile(t testing.TB, name, source string, flags ...string) string {
	t.Helper()
	made, ok := compiled.Load(source)
	out := filepath.Join(t.TempDir(), name)
	if ok {
		if err := os.WriteFile(out, made.([]byte), 0o700); err != nil {
			t.Fatal(err)
		}
		return out
	}
	args := append([]string{"-O2", "-o", out, source}, flags...)
	cmd := exec.CommandContext(t.Context(), "cc", append(args, "-ldl", "-lpthread")...)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, text) // this package was compiled by such a compiler
	}
	file, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	compiled.Store(source, file)
	return out
}

// compiled is what compile has made, by source.
var compiled sync.Map
