package main

import (
	"fmt"
	"maps"
)

// fields are the inputs of an operation by name, in hexadecimal.
type fields map[string]string

// with is a copy in which one field has another value.
func (f fields) with(name, value string) fields {
	f = maps.Clone(f)
	f[name] = value
	return f
}

// at is a copy in which every field that ends names has the value it has there.
func (f fields) at(ends fields) fields {
	f = maps.Clone(f)
	for name := range f {
		if value, ok := ends[name]; ok {
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
		"date": "00010101", "time": "000000",
	}
	highest = fields{
		"random": "FFFFFFFF", "online-counter": "FFFF", "offline-counter": "FFFF", "terminal-serial": "FFFFFFFF",
		"balance": "FFFFFFFF", "new-balance": "FFFFFFFF", "amount": "FFFFFFFF", "terminal": "FFFFFFFFFFFF",
		"date": "99991231", "time": "235959",
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
