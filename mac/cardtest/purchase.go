package cardtest

import (
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"io"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
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

// An Offer is the answer to INITIALIZE FOR PURCHASE and FOR CASH WITHDRAW, in
// pieces. It has no MAC: the terminal must prove itself first. See [PBOC] 5.2.
type Offer struct {
	Balance   mac.Fen
	Counter   mac.OfflineCount
	Limit     mac.Fen // overdraft limit
	Version   byte
	Algorithm byte
	Random    [4]byte
}

// InitPurchase is INITIALIZE FOR PURCHASE 消费初始化, of either purse, FOR CASH
// WITHDRAW 取现初始化, of the deposit, or FOR CAPP PURCHASE 复合消费初始化, of the
// purse. See [PBOC] 5.2 to 5.4.
func (c *Card) InitPurchase(kind mac.TransactionType, amount mac.Fen, terminal mac.TerminalID) (o Offer, err error) {
	err = c.command(func() error {
		o, err = c.initPurchase(kind, amount, terminal)
		return err
	})
	if err != nil {
		return Offer{}, err
	}
	return o, nil
}

func (c *Card) initPurchase(kind mac.TransactionType, amount mac.Fen, terminal mac.TerminalID) (Offer, error) {
	c.session = nil // a new INITIALIZE takes the place of the one before
	p := EP
	switch kind {
	case mac.TypePurchaseED, mac.TypeWithdraw:
		p = ED
	case mac.TypePurchaseEP, mac.TypeCompound:
	default:
		return Offer{}, StatusConditions
	}
	u := c.purse(p)
	if u.offline == 0xFFFF {
		return Offer{}, StatusCounter
	}
	if u.balance < amount {
		return Offer{}, StatusFunds
	}
	k, err := c.key(keystore.UsagePurchase)
	if err != nil {
		return Offer{}, err
	}
	s := &session{purse: p, kind: kind, amount: amount, terminal: terminal}
	if _, err := io.ReadFull(c.rand, s.random[:]); err != nil {
		return Offer{}, fmt.Errorf("cardtest: random number: %w", err)
	}
	c.session = s
	return Offer{Balance: u.balance, Counter: u.offline, Limit: u.limit, Version: k.version, Algorithm: k.algorithm, Random: s.random}, nil
}

// DebitPurchase is DEBIT FOR PURCHASE 消费: if MAC1 is the terminal's, the purse
// has paid, and MAC2 and TAC say so. See [PBOC] 5.2.
func (c *Card) DebitPurchase(serial uint32, date mac.BCDDate, time mac.BCDTime, mac1 mac.MAC) (mac2 mac.MAC, tac mac.TransactionMAC, err error) {
	err = c.command(func() error {
		mac2, tac, err = c.debitPurchase(serial, date, time, mac1)
		return err
	})
	if err != nil {
		return mac.MAC{}, mac.TransactionMAC{}, err
	}
	return mac2, tac, nil
}

func (c *Card) debitPurchase(serial uint32, date mac.BCDDate, time mac.BCDTime, mac1 mac.MAC) (mac2 mac.MAC, tac mac.TransactionMAC, err error) {
	s := c.session
	c.session = nil
	if s == nil || !s.purchase() {
		return mac2, tac, StatusState
	}
	k, err := c.key(keystore.UsagePurchase)
	if err != nil {
		return mac2, tac, err
	}
	receipt, err := c.key(keystore.UsageTAC)
	if err != nil {
		return mac2, tac, err
	}
	u := c.purse(s.purse)
	key := purchaseSession(k.key, s.random, u.offline, serial)
	want := transactionMAC(key, fen(s.amount), []byte{byte(s.kind)}, s.terminal[:], date[:], time[:], c.authCode(s.kind))
	if subtle.ConstantTimeCompare(want[:], mac1[:]) != 1 {
		return mac2, tac, StatusMAC
	}
	mac2 = mac.MAC(transactionMAC(key, fen(s.amount)))
	tac = mac.TransactionMAC(transactionMAC(receipt.key.TACKey(), fen(s.amount), []byte{byte(s.kind)}, s.terminal[:],
		binary.BigEndian.AppendUint32(nil, serial), date[:], time[:]))
	c.files.commit(s.staged)
	counter := u.offline
	u.balance -= s.amount
	u.offline++
	c.remember(Record{
		Purse: s.purse, Type: s.kind, Counter: uint16(counter), Amount: s.amount,
		Terminal: s.terminal, Date: date, Time: time, MAC: mac2, TAC: tac,
	})
	return mac2, tac, nil
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
		o, err := c.initPurchase(kind, amount, t.ID)
		if err != nil {
			return err
		}
		r = Receipt{Random: o.Random, Counter: o.Counter, Serial: t.Serial}
		r.MAC1 = t.mac1(c.asn, &r, amount, kind, date, time, c.authCode(kind))
		if r.MAC2, r.TAC, err = c.debitPurchase(t.Serial, date, time, r.MAC1); err == nil {
			t.Serial++
		}
		return err
	})
	if err != nil {
		return Receipt{}, err
	}
	return r, nil
}

// mac1 is the PSAM's part: it diversifies the issuer's key by what the card
// said of itself.
func (t *Terminal) mac1(asn mac.Factor, r *Receipt, amount mac.Fen, kind mac.TransactionType, date mac.BCDDate, time mac.BCDTime, code []byte) mac.MAC {
	key := t.Issuer.Purchase
	for _, f := range append(append([]mac.Factor(nil), t.Factors...), asn) {
		key = key.Diversify(f)
	}
	session := purchaseSession(key, r.Random, r.Counter, r.Serial)
	return mac.MAC(transactionMAC(session, fen(amount), []byte{byte(kind)}, t.ID[:], date[:], time[:], code))
}

// purchaseSession is the session key of a purchase. See [PBOC] 5.2.
func purchaseSession(k reference.Key, random [4]byte, counter mac.OfflineCount, serial uint32) [8]byte {
	return k.SessionKey([8]byte(join(random[:], u16(uint16(counter)), u16(uint16(serial)))))
}
