package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

const formatName = "pbochsm 1"

// A Head is where a log ends: its last seal.
type Head struct {
	Seal    uint64            // its number, from 1; 0 is a log without seals
	Records uint64            // in the whole log, up to it
	Hash    [sha256.Size]byte // of everything up to it
}

// String gives SEAL:HASH, which ParseHead reads.
func (h Head) String() string { return fmt.Sprintf("%d:%X", h.Seal, h.Hash) }

// ParseHead reads a head as String writes it; Records is not part of it.
func ParseHead(s string) (h Head, err error) {
	number, hash, found := strings.Cut(strings.TrimSpace(s), ":")
	if h.Seal, err = strconv.ParseUint(number, 10, 64); err != nil || !found {
		return Head{}, fmt.Errorf("audit: head %q: want SEAL:HASH", s)
	}
	if len(hash) != 2*len(h.Hash) {
		return Head{}, fmt.Errorf("audit: head %q: the hash has %d digits, not %d", s, len(hash), 2*len(h.Hash))
	}
	if _, err := hex.Decode(h.Hash[:], []byte(hash)); err != nil {
		return Head{}, fmt.Errorf("audit: head %q: the hash is not hexadecimal", s)
	}
	return h, nil
}

// An opening is the first line of a segment.
type opening struct {
	Audit    string `json:"audit"`
	Store    string `json:"store"`   // check value of the storage master key
	Segment  uint64 `json:"segment"` // its number, from 1
	Seal     uint64 `json:"seal"`    // the head of the segment before it
	Records  uint64 `json:"records"`
	Previous string `json:"previous"`
}

func (o opening) head() (h Head, err error) {
	h, err = ParseHead(fmt.Sprintf("%d:%s", o.Seal, o.Previous))
	h.Records = o.Records
	return h, err
}

func (o opening) line() []byte {
	return fmt.Appendf(nil, `{"audit":%q,"store":%q,"segment":%d,"seal":%d,"records":%d,"previous":%q}`+"\n",
		o.Audit, o.Store, o.Segment, o.Seal, o.Records, o.Previous)
}

// A sealLine is the last line of a write.
type sealLine struct {
	Seal    uint64 `json:"seal"`
	Records uint64 `json:"records"`
	Hash    string `json:"hash"`
	Tag     string `json:"tag"`
}

// line is the line of the seal h with the tag of s.
func (s sealLine) line(h Head) []byte { return appendSealLine(nil, h, []byte(s.Tag)) }

// firstMembers is the part of a seal's line that its hash covers.
func firstMembers(dst []byte, seal, records uint64) []byte {
	dst = strconv.AppendUint(append(dst, `{"seal":`...), seal, 10)
	return strconv.AppendUint(append(dst, `,"records":`...), records, 10)
}

func appendSealLine(dst []byte, h Head, tag []byte) []byte {
	dst = append(firstMembers(dst, h.Seal, h.Records), `,"hash":"`...)
	dst = append(appendHex(dst, h.Hash[:]...), `","tag":"`...)
	return append(append(dst, tag...), "\"}\n"...)
}

// isSeal tells a seal from a record: no record begins so.
func isSeal(line []byte) bool { return strings.HasPrefix(string(line[:min(len(line), 8)]), `{"seal":`) }

// appendSeal appends the seal of lines, which hold n records and are all that
// was written since h, and gives the new head.
func appendSeal(lines []byte, h Head, n int, key []byte) ([]byte, Head) {
	next := Head{Seal: h.Seal + 1, Records: h.Records + uint64(n)}
	sum := sha256.New()
	sum.Write(h.Hash[:])
	sum.Write(lines)
	sum.Write(firstMembers(nil, next.Seal, next.Records))
	sum.Sum(next.Hash[:0])
	return appendSealLine(lines, next, appendHex(nil, tagOf(key, next.Hash)...)), next
}

func tagOf(key []byte, hash [sha256.Size]byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(hash[:])
	return m.Sum(nil)
}
