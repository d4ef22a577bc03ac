// Package signature makes and checks the X-Signature header, an HMAC-SHA-256
// over method, path, time, nonce and the hash of the body. The Token of the
// document covers neither path nor time; a domain may be required to send this
// beside it. See [API] 4.4.
//
// [API]: docs/api.md
package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Header is the name of the header.
const Header = "X-Signature"

// Bounds of a nonce, in characters.
const (
	MinNonce = 16
	MaxNonce = 64
)

// A Request is what is signed.
type Request struct {
	Method, Path string
	Time         int64 // Unix seconds
	Nonce        string
	Body         []byte
}

// sum is HMAC(key, METHOD LF PATH LF time LF nonce LF hex(SHA-256(body))).
func (r *Request) sum(key string) []byte {
	body := sha256.Sum256(r.Body)
	mac := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(mac, "%s\n%s\n%d\n%s\n%x", r.Method, r.Path, r.Time, r.Nonce, body)
	return mac.Sum(nil)
}

// Make gives the value of the header.
func (r *Request) Make(key string) string {
	return fmt.Sprintf("time=%d, nonce=%s, hmac=%x", r.Time, r.Nonce, r.sum(key))
}

// The ways in which a header can be refused. A caller is told none of them.
var (
	ErrForm   = errors.New("signature: not time=…, nonce=…, hmac=…")
	ErrTime   = errors.New("signature: too old, or from the future")
	ErrHMAC   = errors.New("signature: wrong HMAC")
	ErrReplay = errors.New("signature: nonce was used before")
)

// Verify checks the header of a request whose Method, Path and Body are set,
// at the time now, from which the time in it may be off by window. It gives the
// nonce, which is good until the time given: the caller must see that it is
// used once.
func Verify(now time.Time, window time.Duration, header, key string, r Request) (nonce string, until time.Time, err error) {
	claimed, ok := r.parse(header)
	good := hmac.Equal(r.sum(key), claimed)
	at := time.Unix(r.Time, 0)
	switch {
	case !ok:
		return "", time.Time{}, ErrForm
	case !good:
		return "", time.Time{}, ErrHMAC
	case now.Sub(at).Abs() > window:
		return "", time.Time{}, ErrTime
	}
	return r.Nonce, at.Add(window), nil
}

// parse takes time and nonce into r and gives the claimed HMAC.
func (r *Request) parse(header string) (claimed []byte, ok bool) {
	parts := strings.Split(header, ", ")
	if len(parts) != 3 {
		return nil, false
	}
	seconds, timed := strings.CutPrefix(parts[0], "time=")
	nonce, named := strings.CutPrefix(parts[1], "nonce=")
	digits, signed := strings.CutPrefix(parts[2], "hmac=")
	t, err := strconv.ParseInt(seconds, 10, 64)
	if !timed || !named || !signed || err != nil || len(nonce) < MinNonce || len(nonce) > MaxNonce {
		return nil, false
	}
	claimed, err = hex.DecodeString(digits)
	r.Time, r.Nonce = t, nonce
	return claimed, err == nil && printable(nonce)
}

func printable(nonce string) bool {
	return strings.IndexFunc(nonce, func(c rune) bool { return c <= ' ' || c > '~' }) < 0
}
