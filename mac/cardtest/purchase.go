package cardtest

import (
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"io"

	"pbochsm/mac"
)

// A Terminal is the device at which a purse is spent: it holds the issuer's
// purchase key in its PSAM.
type Terminal struct {
	Issuer  Issuer
	Factors []mac.Factor // as in Options
	ID      mac.TerminalID
	Serial  uint32 // terminal transaction serial 终端交易序号 of the next purchase
}

// A Receipt is what a purchase leaves with the terminal. See [PBOC] 5.2.
type Receipt struct {
	Random  [4]byte
	Counter mac.OfflineCount
	Serial  uint32
	MAC1    mac.MAC
	MAC2    mac.MAC
	TAC     mac.TransactionMAC
}

// Spend is a whole purchase 消费: INITIALIZE FOR PURCHASE, the PSAM's MAC1, and
// DEBIT FOR PURCHASE. It happens without the host, so the host sees it only by
// the balance. Torn, it has happened or not, as [Tear] says.
func (c *Card) Spend(p Purse, t *Terminal, amount mac.Fen, date mac.BCDDate, time mac.BCDTime) (r Receipt, err error) {
	kind := mac.TypePurchaseEP
	if p == ED {
		kind = mac.TypePurchaseED
	}
	err = c.command(func() error {
		c.session = nil // a new INITIALIZE takes the place of the one before
		u := c.purse(p)
		if u.offline == 0xFFFF {
			return StatusCounter
		}
		if u.balance < amount {
			return StatusFunds
		}
		if _, err := io.ReadFull(c.rand, r.Random[:]); err != nil {
			return fmt.Errorf("cardtest: random number: %w", err)
		}
		r.Counter, r.Serial = u.offline, t.Serial
		r.MAC1 = t.mac1(c.asn, &r, amount, kind, date, time)
		key := session8(c.keys.Purchase.SessionKey, &r)
		want := transactionMAC(key, fen(amount), []byte{byte(kind)}, t.ID[:], date[:], time[:])
		if subtle.ConstantTimeCompare(want[:], r.MAC1[:]) != 1 {
			return StatusMAC
		}
		r.MAC2 = mac.MAC(transactionMAC(key, fen(amount)))
		r.TAC = mac.TransactionMAC(transactionMAC(c.keys.TAC.TACKey(), fen(amount), []byte{byte(kind)}, t.ID[:],
			binary.BigEndian.AppendUint32(nil, t.Serial), date[:], time[:]))
		u.balance -= amount
		u.offline++
		t.Serial++
		c.remember(Record{
			Purse: p, Type: kind, Counter: uint16(r.Counter), Amount: amount,
			Terminal: t.ID, Date: date, Time: time, MAC: r.MAC2, TAC: r.TAC,
		})
		return nil
	})
	if err != nil {
		return Receipt{}, err
	}
	return r, nil
}

// mac1 is the PSAM's part: it diversifies the issuer's key by what the card
// said of itself.
func (t *Terminal) mac1(asn mac.Factor, r *Receipt, amount mac.Fen, kind mac.TransactionType, date mac.BCDDate, time mac.BCDTime) mac.MAC {
	key := t.Issuer.Purchase
	for _, f := range append(append([]mac.Factor(nil), t.Factors...), asn) {
		key = key.Diversify(f)
	}
	return mac.MAC(transactionMAC(session8(key.SessionKey, r), fen(amount), []byte{byte(kind)}, t.ID[:], date[:], time[:]))
}

// session8 is the session key of a purchase. See [PBOC] 5.2.
func session8(sessionKey func([8]byte) [8]byte, r *Receipt) [8]byte {
	return sessionKey([8]byte(join(r.Random[:], u16(uint16(r.Counter)), u16(uint16(r.Serial)))))
}
