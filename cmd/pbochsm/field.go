package main

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// setField fills in a field of op from the text of a flag: hexadecimal digits
// as on the wire, and for money also "4096fen" or "40.96yuan".
func setField(op *mac.Op, f mac.Field, text string) error {
	if isMoney(f) {
		if digits, ok, err := moneyDigits(text); err != nil {
			return fmt.Errorf("--%s: %w", f, err)
		} else if ok {
			text = digits
		}
	}
	if f == mac.NewUsage {
		var u keystore.Usage
		if err := u.UnmarshalText([]byte(text)); err != nil {
			return fmt.Errorf("--%s: %w", f, err)
		}
		text = fmt.Sprintf("%02X", uint8(u))
	}
	raw, err := hex.DecodeString(text)
	if err != nil {
		return fmt.Errorf("--%s: not hexadecimal digits", f)
	}
	if f.Counted() {
		if !f.SetLen(op, len(raw)) {
			return fmt.Errorf("--%s: want at most %d digits, got %d", f, 2*f.Width(), len(text))
		}
	} else if len(raw) != f.Width() {
		return fmt.Errorf("--%s: want %d digits, got %d", f, 2*f.Width(), len(text))
	}
	copy(f.Bytes(op), raw)
	return nil
}

func isMoney(f mac.Field) bool {
	return f == mac.Amount || f == mac.OldBalance || f == mac.NewBalance
}

// moneyDigits turns an amount with a unit into the eight digits of the wire.
// ok is false where there is no unit.
func moneyDigits(text string) (digits string, ok bool, err error) {
	var number string
	var unit int64
	if n, found := strings.CutSuffix(text, "fen"); found {
		number, unit = n, 1
	} else if n, found := strings.CutSuffix(text, "yuan"); found {
		number, unit = n, 100
	} else {
		return "", false, nil
	}
	if number == "" || strings.Trim(number, "0123456789.") != "" {
		return "", true, fmt.Errorf("%q is not an amount of money", text)
	}
	value, good := new(big.Rat).SetString(number)
	if !good {
		return "", true, fmt.Errorf("%q is not an amount of money", text)
	}
	value.Mul(value, big.NewRat(unit, 1))
	if !value.IsInt() || value.Num().BitLen() > 32 {
		return "", true, fmt.Errorf("%q is not a whole number of fen below 2^32", text)
	}
	return fmt.Sprintf("%08X", value.Num().Uint64()), true, nil
}

// parseKeyID reads set/version/algorithm, two hexadecimal digits each.
func parseKeyID(text string) (mac.KeyID, error) {
	parts := strings.Split(text, "/")
	if len(parts) != 3 {
		return mac.KeyID{}, fmt.Errorf("--key: want set/version/algorithm, as in 01/01/00")
	}
	var id [3]byte
	for i, p := range parts {
		b, err := parseByte(p)
		if err != nil {
			return mac.KeyID{}, fmt.Errorf("--key: %w", err)
		}
		id[i] = b
	}
	return mac.KeyID{Set: id[0], Version: id[1], Algorithm: id[2]}, nil
}

// parseByte reads exactly two hexadecimal digits.
func parseByte(text string) (byte, error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != 1 {
		return 0, fmt.Errorf("%q is not two hexadecimal digits", text)
	}
	return b[0], nil
}

// parseFactors reads factors of 16 hexadecimal digits, outermost first.
func parseFactors(texts []string) ([]mac.Factor, error) {
	var factors []mac.Factor
	for _, text := range texts {
		b, err := hex.DecodeString(text)
		if err != nil || len(b) != len(mac.Factor{}) {
			return nil, fmt.Errorf("--factor: %q is not 16 hexadecimal digits", text)
		}
		factors = append(factors, mac.Factor(b))
	}
	return factors, nil
}
