package cardtest

import (
	"slices"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// A staged record waits for the debit of a compound purchase.
type staged struct {
	at     int // its place in the file
	record []byte
}

// Stage is UPDATE CAPP DATA CACHE 更新复合应用数据缓存: the record of the compound
// file that begins with tag is written when the compound purchase that has been
// begun is debited, or not at all. See [PBOC] 5.3.
func (c *Card) Stage(tag byte, record []byte) error {
	return c.command(func() error {
		s := c.session
		if s == nil || s.kind != mac.TypeCompound {
			return StatusState
		}
		if len(record) == 0 || record[0] != tag {
			return StatusData
		}
		at := slices.IndexFunc(c.files.Records[FileCompound], func(r []byte) bool { return r[0] == tag })
		if at < 0 {
			return StatusNoRecord
		}
		s.staged = append(s.staged, staged{at, slices.Clone(record)})
		return nil
	})
}

// AuthCode is what GET DATA answers, the authentication code; it is there where
// the profile has a use for it. See [PBOC] 5.3.
func (c *Card) AuthCode() (AuthCode, bool) {
	return c.code, c.profile.Switches[keystore.SwitchAuthCode] != 0
}

// authCode is what the profile appends to the data of MAC1.
func (c *Card) authCode(kind mac.TransactionType) []byte {
	switch c.profile.Switches[keystore.SwitchAuthCode] {
	case keystore.AuthCodePurchase:
		return c.code[:]
	case keystore.AuthCodeCompound:
		if kind == mac.TypeCompound {
			return c.code[:]
		}
	}
	return nil
}
