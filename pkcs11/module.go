//go:build cgo && !nopkcs11 && !windows

package pkcs11

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"unsafe"

	"github.com/ThalesIgnite/crypto11"
	"github.com/miekg/pkcs11"
)

// A module is a loaded PKCS#11 library, initialized and logged in to one token.
// This file alone opens and closes it: crypto11 first in and last out,
// miekg/pkcs11 between.
type module struct {
	high   *crypto11.Context // nil where the module wants an argument
	low    *pkcs11.Ctx
	slot   uint
	keeper pkcs11.SessionHandle // holds the login, and objects that all sessions use; never closed
	path   string
}

// inUse are the modules of this process. A loaded library has one state for the
// whole process, whoever uses it: to initialize it afresh would pull a second
// token from under its user, so there is none.
var inUse = struct {
	sync.Mutex
	paths map[string]bool
}{paths: map[string]bool{}}

func claim(path string) (string, error) {
	file, err := filepath.EvalSymlinks(path)
	if err == nil {
		_, err = os.Stat(file)
	}
	if err != nil {
		return "", fmt.Errorf("pkcs11: module: %w", err)
	}
	inUse.Lock()
	defer inUse.Unlock()
	if inUse.paths[file] {
		return "", fmt.Errorf("pkcs11: module %s is in use in this process already; a second token of it needs a process of its own", path)
	}
	inUse.paths[file] = true
	return file, nil
}

func disclaim(file string) {
	inUse.Lock()
	defer inUse.Unlock()
	delete(inUse.paths, file)
}

// openModule initializes the module and logs in. The caller has claimed path.
func openModule(cfg *Config, path string) (*module, error) {
	m := &module{path: path}
	if err := m.open(cfg); err != nil {
		_ = m.close()
		return nil, err
	}
	return m, nil
}

func (m *module) open(cfg *Config) error {
	if m.low = pkcs11.New(m.path); m.low == nil {
		return fmt.Errorf("pkcs11: %s cannot be loaded as a PKCS#11 module", m.path)
	}
	if err := m.look(cfg); err != nil {
		return err
	}
	if cfg.Reserved == "" {
		if err := m.openHigh(cfg); err != nil {
			return err
		}
	}
	var err error
	if m.keeper, err = m.low.OpenSession(m.slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION); err != nil {
		return callError("C_OpenSession", err)
	}
	return m.login(cfg)
}

// look initializes the module, finds the slot, and sees that a login may be
// tried. Where crypto11 follows it leaves the module as it was.
func (m *module) look(cfg *Config) error {
	var options []pkcs11.InitializeOption
	if cfg.Reserved != "" {
		arg := reserved(cfg.Reserved)
		defer arg.free()
		options = append(options, arg.option())
	}
	err := m.low.Initialize(options...)
	if err != nil && code(err) == pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED { // what is left of a failed close
		_ = m.low.Finalize()
		err = m.low.Initialize(options...)
	}
	if err != nil {
		return callError("C_Initialize", err)
	}
	info, err := m.find(cfg)
	switch {
	case err != nil:
	case info.Flags&pkcs11.CKF_USER_PIN_LOCKED != 0:
		err = callError("C_GetTokenInfo", pkcs11.Error(pkcs11.CKR_PIN_LOCKED))
	case info.Flags&pkcs11.CKF_USER_PIN_FINAL_TRY != 0:
		err = fmt.Errorf("%w: one more wrong PIN locks the token: log in once by hand", errPINStop)
	}
	if err != nil || cfg.Reserved == "" {
		err = errors.Join(err, callError("C_Finalize", m.low.Finalize()))
	}
	return err
}

// find sets the slot of the one token that the configuration selects.
func (m *module) find(cfg *Config) (pkcs11.TokenInfo, error) {
	slots, err := m.low.GetSlotList(true)
	if err != nil {
		return pkcs11.TokenInfo{}, callError("C_GetSlotList", err)
	}
	var found pkcs11.TokenInfo
	n := 0
	for _, slot := range slots {
		info, err := m.low.GetTokenInfo(slot)
		if err != nil {
			if cfg.Slot != nil && *cfg.Slot == slot {
				return found, callError("C_GetTokenInfo", err)
			}
			continue // another token's trouble
		}
		if cfg.selects(slot, info) {
			m.slot, found = slot, info
			n++
		}
	}
	switch {
	case n == 0:
		return found, errNoToken
	case n > 1:
		return found, fmt.Errorf("pkcs11: %d tokens fit the configuration; select by serial number", n)
	}
	return found, nil
}

func (c *Config) selects(slot uint, info pkcs11.TokenInfo) bool {
	return c.Slot != nil && *c.Slot == slot ||
		c.Label != "" && c.Label == info.Label ||
		c.Serial != "" && c.Serial == info.SerialNumber
}

// openHigh has crypto11 initialize the module and log in.
func (m *module) openHigh(cfg *Config) error {
	pin, err := cfg.PIN()
	if err != nil {
		return fmt.Errorf("pkcs11: PIN: %w", err)
	}
	defer clear(pin)
	slot := int(m.slot)
	c := &crypto11.Config{
		Path: m.path, SlotNumber: &slot, MaxSessions: 4,
		Pin: unsafe.String(unsafe.SliceData(pin), len(pin)), // cleared with pin
	}
	err = guard(func() (err error) {
		m.high, err = crypto11.Configure(c)
		return err
	})
	c.Pin = ""
	if err != nil {
		m.high = nil
		if rv := code(err); rv != 0 {
			err = pkcs11.Error(rv) // without the words of crypto11's own
		}
		return callError("crypto11.Configure", err)
	}
	err = m.low.Initialize()
	if err != nil && code(err) != pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED {
		return callError("C_Initialize", err)
	}
	return nil
}

// login logs the keeper in, if it is alive and not logged in.
func (m *module) login(cfg *Config) error {
	err := m.loggedIn(m.keeper)
	if code(err) != pkcs11.CKR_USER_NOT_LOGGED_IN {
		return err
	}
	pin, err := cfg.PIN()
	if err != nil {
		return fmt.Errorf("pkcs11: PIN: %w", err)
	}
	defer clear(pin)
	err = m.low.Login(m.keeper, pkcs11.CKU_USER, unsafe.String(unsafe.SliceData(pin), len(pin)))
	if err != nil && code(err) != pkcs11.CKR_USER_ALREADY_LOGGED_IN {
		return callError("C_Login", err)
	}
	return m.loggedIn(m.keeper)
}

// stateUser is CKS_RW_USER_FUNCTIONS.
const stateUser = 3

// loggedIn tells why a session cannot use private keys, if it cannot.
func (m *module) loggedIn(s pkcs11.SessionHandle) error {
	info, err := m.low.GetSessionInfo(s)
	if err != nil {
		return callError("C_GetSessionInfo", err)
	}
	if info.State != stateUser {
		return callError("C_GetSessionInfo", pkcs11.Error(pkcs11.CKR_USER_NOT_LOGGED_IN))
	}
	return nil
}

// close finalizes the module, crypto11 last. Nobody may be inside a call.
func (m *module) close() error {
	var err error
	if m.high != nil {
		err = guard(m.high.Close)
		m.high = nil
	} else if m.low != nil {
		err = m.low.Finalize()
	}
	if code(err) == pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED {
		err = nil // somebody has done so before
	}
	if m.low != nil {
		m.low.Destroy()
		m.low = nil
	}
	return callError("C_Finalize", err)
}

// guard makes an error of a panic. crypto11 panics where a token fails within
// an interface that has no error.
func guard(call func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("pkcs11: crypto11: %v", p)
		}
	}()
	return call()
}
