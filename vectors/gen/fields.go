package main

import (
	"fmt"
	"maps"
	"strings"
)

// fields are the inputs of an operation by name, in hexadecimal.
type fields map[string]string

// with is a copy in which one field has another value.
func (f fields) with(name, value string) fields {
	f = maps.Clone(f)
	f[name] = value
	return f
}

// without is a copy that lacks a field.
func (f fields) without(name string) fields {
	f = maps.Clone(f)
	delete(f, name)
	return f
}

// at is a copy in which every field that ends names has the value it has there.
func (f fields) at(ends fields) fields {
	f = maps.Clone(f)
	for name := range f {
		if value, ok := ends[name]; ok && (name != "challenge" || len(f[name]) == 8) { // longer ones are whole blocks
			f[name] = value
		}
	}
	return f
}

// The ends of the ranges. Types have no order; they keep their value.
var (
	lowest = fields{
		"random": "00000000", "online-counter": "0000", "offline-counter": "0000", "terminal-serial": "00000000",
		"balance": "00000000", "new-balance": "00000000", "amount": "00000000", "terminal": "000000000000",
		"date": "00010101", "time": "000000", "limit": "000000", "new-limit": "000000", "terminal-random": "00000000",
		"p1": "00", "challenge": "00000000", "pin": "0000", "content": "00",
	}
	highest = fields{
		"random": "FFFFFFFF", "online-counter": "FFFF", "offline-counter": "FFFF", "terminal-serial": "FFFFFFFF",
		"balance": "FFFFFFFF", "new-balance": "FFFFFFFF", "amount": "FFFFFFFF", "terminal": "FFFFFFFFFFFF",
		"date": "99991231", "time": "235959", "limit": "FFFFFF", "new-limit": "FFFFFF", "terminal-random": "FFFFFFFF",
		"p1": "FF", "challenge": "FFFFFFFFFFFFFFFF", "pin": "FFFFFFFFFFFFFFFF", "content": strings.Repeat("FF", 239),
	}
)

// flip inverts one bit of hexadecimal digits. Bits count from the left; -1 is
// the last one.
func flip(s string, bit int) string {
	b := unhex(s)
	if bit < 0 {
		bit += 8 * len(b)
	}
	b[bit/8] ^= 0x80 >> (bit % 8)
	return fmt.Sprintf("%X", b)
}

// next is the counter after s.
func next(s string) string {
	b := unhex(s)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i]++; b[i] != 0 {
			break
		}
	}
	return fmt.Sprintf("%X", b)
}
