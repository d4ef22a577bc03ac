package mac_test

import (
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// refusedFor tells whether err is that field is invalid.
func refusedFor(err error, f mac.Field) bool {
	return errors.Is(err, mac.ErrInvalid) && strings.HasSuffix(err.Error(), " "+f.String())
}

// TestDatesAndTimes goes through all kinds that have a date.
func TestDatesAndTimes(t *testing.T) {
	hsm := newEngine(t, new(recorder), keysWithLevels(2)...)
	for _, c := range []struct {
		name  string
		field mac.Field
		value string
		ok    bool
	}{
		{"new year", mac.Date, "20240101", true},
		{"new year's eve", mac.Date, "20241231", true},
		{"30 April", mac.Date, "20240430", true},
		{"31 April", mac.Date, "20240431", false},
		{"31 June", mac.Date, "20240631", false},
		{"31 September", mac.Date, "20240931", false},
		{"31 November", mac.Date, "20241131", false},
		{"32 January", mac.Date, "20240132", false},
		{"29 February of a leap year", mac.Date, "20240229", true},
		{"29 February of a common year", mac.Date, "20230229", false},
		{"29 February of 1900", mac.Date, "19000229", false},
		{"29 February of 2000", mac.Date, "20000229", true},
		{"30 February", mac.Date, "20240230", false},
		{"month 0", mac.Date, "20240001", false},
		{"month 13", mac.Date, "20241301", false},
		{"day 0", mac.Date, "20240100", false},
		{"year 0", mac.Date, "00000101", false},
		{"year 1", mac.Date, "00010101", true},
		{"year 9999", mac.Date, "99991231", true},
		{"digit A in the year", mac.Date, "2A240101", false},
		{"digit F in the century", mac.Date, "F0240101", false},
		{"digit A in the month", mac.Date, "20240A01", false},
		{"digit A in the day", mac.Date, "2024010A", false},
		{"zeros", mac.Date, "00000000", false},
		{"midnight", mac.Time, "000000", true},
		{"last second", mac.Time, "235959", true},
		{"hour 24", mac.Time, "240000", false},
		{"minute 60", mac.Time, "006000", false},
		{"second 60", mac.Time, "000060", false},
		{"digit A in the hour", mac.Time, "0A0000", false},
		{"digit A in the minute", mac.Time, "000A00", false},
		{"digit F in the second", mac.Time, "0000F0", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			value, err := hex.DecodeString(c.value)
			if err != nil {
				t.Fatal(err)
			}
			for _, op := range someOps() {
				if !slices.Contains(op.Kind.Inputs(), c.field) {
					continue
				}
				copy(c.field.Bytes(&op), value)
				if err := ask(t, hsm, op).Err; refusedFor(err, c.field) == c.ok {
					t.Errorf("%s of %s: %v", op.Kind, c.value, err)
				}
			}
		})
	}
}

// TestTypes tries every transaction type on every kind that is told one.
func TestTypes(t *testing.T) {
	allowed := map[mac.Kind][]mac.TransactionType{
		mac.KindLoad:        {1, 2},
		mac.KindLoadTAC:     {1, 2},
		mac.KindPurchase:    {4, 5, 6, 9},
		mac.KindPurchaseTAC: {4, 5, 6, 9},
		mac.KindLock:        {0x91, 0x92},
		mac.KindLockTAC:     {0x91, 0x92, 0x93, 0x94},
		mac.KindUnlock:      {0x95, 0x96},
		mac.KindUnlockMAC3:  {0x95, 0x96},
	}
	hsm := newEngine(t, new(recorder), keysWithLevels(2)...)
	for _, op := range someOps() {
		types, told := allowed[op.Kind]
		if !told {
			continue
		}
		for v := range 256 {
			ok := false
			for _, a := range types {
				ok = ok || int(a) == v
			}
			mac.Type.Bytes(&op)[0] = byte(v)
			if err := ask(t, hsm, op).Err; refusedFor(err, mac.Type) == ok {
				t.Errorf("%s of type %02X: %v", op.Kind, v, err)
			}
		}
	}
}

// TestFixedTypeIsNoInput holds that an operation with one type does not look
// at what the caller may have written there.
func TestFixedTypeIsNoInput(t *testing.T) {
	hsm := newEngine(t, new(recorder), keysWithLevels(2)...)
	op := someUnload.Op()
	last := lastBlocks(t, op)[0]
	copy(mac.MAC1.Bytes(&op), last[:4])
	want := ask(t, hsm, op)
	mac.Type.Bytes(&op)[0] = 0x99
	if got := ask(t, hsm, op); got.Err != nil || got.Answer != want.Answer {
		t.Errorf("with type 99: %X, %v; want %X", got.Answer, got.Err, want.Answer)
	}
}

func TestAuthCodeIsRefused(t *testing.T) {
	hsm := newEngine(t, new(recorder), keysWithLevels(2)...)
	for n := 1; n <= mac.AuthCode.Width(); n++ {
		op := somePurchase.Op()
		if !mac.AuthCode.SetLen(&op, n) {
			t.Fatalf("no room for %d bytes", n)
		}
		if err := ask(t, hsm, op).Err; !refusedFor(err, mac.AuthCode) {
			t.Errorf("a code of %d bytes: %v", n, err)
		}
	}
}

// TestFactorCount tries every number of factors on keys of every number of
// levels: only the key's own number will do.
func TestFactorCount(t *testing.T) {
	for levels := range uint8(keystore.MaxLevels + 1) {
		hsm := newEngine(t, new(recorder), keysWithLevels(levels)...)
		for n := range 300 {
			purchase := somePurchase
			purchase.Factors = make([]mac.Factor, n)
			err := ask(t, hsm, purchase.Op()).Err
			if right := n == int(levels); right && err != nil || !right && !refusedFor(err, mac.Factors) {
				t.Errorf("%d factors for %d levels: %v", n, levels, err)
			}
		}
	}
}
