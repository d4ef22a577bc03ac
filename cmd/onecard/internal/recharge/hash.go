package recharge

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"

	"golang.org/x/crypto/argon2"
)

// A Cost is what one guess of a password costs: passes over memory, and memory
// in KiB.
type Cost struct{ Passes, Memory uint32 }

// defaultCost is the smaller of the two that RFC 9106 would have for servers
// with little memory to spare: 64 MiB, three passes.
var defaultCost = Cost{Passes: 3, Memory: 64 << 10}

// A hasher makes and checks password hashes, a few at a time: each takes its
// memory.
type hasher struct {
	cost  Cost
	rand  io.Reader
	slots chan struct{}
	dummy string // a hash of nothing that anybody knows

	// derive is argon2.IDKey; tests count its calls.
	derive func(password, salt []byte, passes, memory uint32, threads uint8, size uint32) []byte
}

const atOnce = 2

func newHasher(c Cost, rand io.Reader) (*hasher, error) {
	if c == (Cost{}) {
		c = defaultCost
	}
	h := &hasher{cost: c, rand: rand, slots: make(chan struct{}, atOnce), derive: argon2.IDKey}
	var nobody [saltSize + keySize]byte
	if _, err := io.ReadFull(rand, nobody[:]); err != nil {
		return nil, fmt.Errorf("recharge: no salt: %w", err)
	}
	h.dummy = h.text(nobody[:saltSize], nobody[saltSize:])
	return h, nil
}

// Sizes in a hash, in bytes.
const (
	saltSize = 16
	keySize  = 32
)

const hashForm = "$argon2id$v=19$m=%d,t=%d,p=1$"

// hash gives the hash of a password with its parameters, in the usual form.
func (h *hasher) hash(password string) (string, error) {
	var salt [saltSize]byte
	if _, err := io.ReadFull(h.rand, salt[:]); err != nil {
		return "", fmt.Errorf("recharge: no salt: %w", err)
	}
	return h.text(salt[:], h.key(password, salt[:], h.cost)), nil
}

// text is a hash as it is stored.
func (h *hasher) text(salt, key []byte) string {
	e := base64.RawStdEncoding
	return fmt.Sprintf(hashForm+"%s$%s", h.cost.Memory, h.cost.Passes, e.EncodeToString(salt), e.EncodeToString(key))
}

// verify tells whether hash is one of password. An empty hash is nobody's, and
// takes the same work.
func (h *hasher) verify(hash, password string) bool {
	real := hash != ""
	if !real {
		hash = h.dummy
	}
	var c Cost
	var rest string
	if _, err := fmt.Sscanf(hash, hashForm+"%s", &c.Memory, &c.Passes, &rest); err != nil {
		return false
	}
	const saltText = 22 // 16 bytes
	if len(rest) < saltText+1 {
		return false
	}
	salt, err := base64.RawStdEncoding.DecodeString(rest[:saltText])
	if err != nil {
		return false
	}
	want, err := base64.RawStdEncoding.DecodeString(rest[saltText+1:])
	if err != nil {
		return false
	}
	same := subtle.ConstantTimeCompare(h.key(password, salt, c), want) == 1
	return same && real
}

func (h *hasher) key(password string, salt []byte, c Cost) []byte {
	h.slots <- struct{}{}
	defer func() { <-h.slots }()
	return h.derive([]byte(password), salt, c.Passes, c.Memory, 1, keySize)
}
