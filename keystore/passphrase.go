package keystore

import (
	"encoding/base64"
	"fmt"
	"io"
	"strconv"

	"filippo.io/age"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"
)

const stanzaPassphrase = "argon2id"

// A cost says how dear one guess at a pass-phrase is.
type cost struct {
	memory  uint32 // KiB
	passes  uint32
	threads uint8
}

// Every pass-phrase is sealed at standardCost, the second recommended option
// of RFC 9106, section 4. A file that asks for more than maxCost is refused
// before any memory is given to it.
var (
	standardCost = cost{memory: 64 << 10, passes: 3, threads: 4}
	maxCost      = cost{memory: 1 << 20, passes: 16, threads: 16}
)

// wrapMaster makes the stanza by which passphrase unlocks the SMK.
func wrapMaster(rand io.Reader, passphrase []byte, c cost, master masterKey) (*age.Stanza, error) {
	if len(passphrase) == 0 {
		return nil, ErrEmpty
	}
	var salt [saltSize]byte
	if _, err := io.ReadFull(rand, salt[:]); err != nil {
		return nil, fmt.Errorf("keystore: random salt: %w", err)
	}
	key := argon2.IDKey(passphrase, salt[:], c.passes, c.memory, c.threads, chacha20poly1305.KeySize)
	defer clear(key)
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		return nil, err
	}
	return &age.Stanza{
		Type: stanzaPassphrase,
		Args: []string{
			base64.RawStdEncoding.EncodeToString(salt[:]),
			fmt.Sprint(c.memory), fmt.Sprint(c.passes), fmt.Sprint(c.threads),
		},
		Body: aead.Seal(nil, onlyNonce[:], master.bytes(), nil),
	}, nil
}

// unwrapMaster fills in master by passphrase.
func unwrapMaster(s *age.Stanza, passphrase []byte, master masterKey) error {
	if len(s.Args) != 4 || len(s.Body) != masterSize+chacha20poly1305.Overhead {
		return ErrDamaged
	}
	salt, err := base64.RawStdEncoding.Strict().DecodeString(s.Args[0])
	if err != nil || len(salt) != saltSize {
		return ErrDamaged
	}
	c, err := parseCost(s.Args[1:])
	if err != nil {
		return err
	}
	key := argon2.IDKey(passphrase, salt, c.passes, c.memory, c.threads, chacha20poly1305.KeySize)
	defer clear(key)
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		return err
	}
	if _, err := aead.Open(master.bytes()[:0], onlyNonce[:], s.Body, nil); err != nil {
		return ErrPassphrase
	}
	return nil
}

func parseCost(args []string) (cost, error) {
	limits := [3]uint64{uint64(maxCost.memory), uint64(maxCost.passes), uint64(maxCost.threads)}
	var n [3]uint64
	for i := range n {
		var err error
		if n[i], err = strconv.ParseUint(args[i], 10, 32); err != nil || n[i] == 0 || n[i] > limits[i] {
			return cost{}, ErrDamaged
		}
	}
	return cost{memory: uint32(n[0]), passes: uint32(n[1]), threads: uint8(n[2])}, nil
}
