package keystore

import "errors"

// Errors of a store and its file.
var (
	// ErrDamaged covers everything that is not exactly what a save wrote.
	ErrDamaged = errors.New("keystore: file is damaged, altered or of another store")
	// ErrPassphrase cannot be told from damage to the salt, the cost or the
	// wrapped key that the pass-phrase unlocks: the wrong key comes out of either.
	ErrPassphrase = errors.New("keystore: wrong pass-phrase, or damage to the part of the file that it unlocks")
	ErrFormat     = errors.New("keystore: file is of a format that this version does not read")
	ErrEmpty      = errors.New("keystore: the pass-phrase is empty")
	ErrRollback   = errors.New("keystore: file is older than the one in force")
	ErrExposed    = errors.New("keystore: file can be read or written by everybody on this machine")
	ErrLocked     = errors.New("keystore: another process is changing this store")
	ErrReadOnly   = errors.New("keystore: opened for reading only")
	ErrDuplicate  = errors.New("keystore: there is a key of this identity already")
	ErrState      = errors.New("keystore: not possible in the state that the key is in")
	ErrFull       = errors.New("keystore: the key table is full")
)
