package protocol

import "pbochsm/keystore"

// keyTypeFollows is the key type code that sends the key type itself behind
// the key.
const keyTypeFollows = 0xFF

// A kcvRequest is what BU asks for.
type kcvRequest struct {
	index  uint16
	digits int
}

// scanKCV reads the fields of BU: key type code, key length, key; then, each
// after a semicolon, a key type of 3 digits and a check value type, which is
// two reserved characters and a digit.
func scanKCV(s scanner) (kcvRequest, error) {
	q := kcvRequest{digits: shortKCV}
	code, ok := s.number(16, 2)
	if !ok {
		return q, malformed("key type code")
	}
	if err := s.keyLength(); err != nil {
		return q, err
	}
	if q.index, ok = s.tableKey(); !ok {
		return q, malformed("key")
	}
	groups, err := s.groups()
	if err != nil {
		return q, err
	}
	if code == keyTypeFollows || len(groups) == 2 {
		if len(groups) == 0 || !groups[0].isKeyType() {
			return q, malformed("key type")
		}
		groups = groups[1:]
	}
	if len(groups) == 1 {
		if q.digits, ok = groups[0].kcvDigits(); !ok {
			return q, malformed("check value type")
		}
	}
	return q, s.end()
}

// keyLength reads the key length flag. All keys here are of double length.
func (s *scanner) keyLength() error {
	switch {
	case s.char('1'), s.char('F'):
		return nil
	case s.char('0'), s.char('2'):
		return keystore.ErrAlgorithm
	}
	return malformed("key length flag")
}

// tableKey reads K and an index, with or without the scheme of double-length
// keys before it.
func (s *scanner) tableKey() (index uint16, ok bool) {
	_ = s.char('U') || s.char('X')
	if !s.char('K') {
		return 0, false
	}
	n, ok := s.number(16, 3)
	return uint16(n), ok
}

// A group is three characters after a semicolon.
type group [3]byte

func (s *scanner) groups() ([]group, error) {
	var found [2]group
	n := 0
	for ; n < len(found) && s.char(';'); n++ {
		if len(*s) < len(found[n]) {
			return nil, malformed("group after a semicolon")
		}
		*s = (*s)[copy(found[n][:], *s):]
	}
	return found[:n], nil
}

func (g group) isKeyType() bool { return nibble[g[0]]&nibble[g[1]]&nibble[g[2]] != 0 }

// kcvDigits reads the check value type: 1 for 6 digits, 0 for 16.
func (g group) kcvDigits() (digits int, ok bool) {
	if nibble[g[0]]&nibble[g[1]] == 0 {
		return 0, false
	}
	switch g[2] {
	case '0':
		return wideKCV, true
	case '1':
		return shortKCV, true
	}
	return 0, false
}
