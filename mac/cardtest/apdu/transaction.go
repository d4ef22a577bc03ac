package apdu

import (
	"encoding/binary"
	"slices"

	"pbochsm/mac"
	"pbochsm/mac/cardtest"
)

// initialize is INITIALIZE FOR LOAD (P1 00), PURCHASE (01), CASH WITHDRAW (02),
// CAPP PURCHASE (03), UPDATE (04) and UNLOAD (05): key index, amount and terminal
// number; the update has no amount.
func (c *Card) initialize(cmd *command) ([]byte, error) {
	switch length := len(cmd.data); {
	case cmd.p1 == 0x04 && cmd.p2 == byte(cardtest.ED) && length == 7:
		return update(c.purse.InitUpdate(mac.TerminalID(cmd.data[1:])))
	case cmd.p1 == 0x04 && cmd.p2 != byte(cardtest.ED):
		return nil, wrongPointers
	case cmd.p1 == 0x04, length != 11:
		return nil, wrongLength
	}
	purse := cardtest.Purse(cmd.p2)
	if purse != cardtest.ED && purse != cardtest.EP {
		return nil, wrongPointers
	}
	amount := mac.Fen(binary.BigEndian.Uint32(cmd.data[1:]))
	terminal := mac.TerminalID(cmd.data[5:])
	switch cmd.p1 {
	case 0x00:
		return host(c.purse.InitLoad(purse, amount, terminal))
	case 0x05:
		return host(c.purse.InitUnload(purse, amount, terminal))
	case 0x01:
		kind := mac.TypePurchaseEP
		if purse == cardtest.ED {
			kind = mac.TypePurchaseED
		}
		return offer(c.purse.InitPurchase(kind, amount, terminal))
	case 0x02:
		if purse == cardtest.ED {
			return offer(c.purse.InitPurchase(mac.TypeWithdraw, amount, terminal))
		}
	case 0x03:
		if purse == cardtest.EP {
			return offer(c.purse.InitPurchase(mac.TypeCompound, amount, terminal))
		}
	}
	return nil, wrongPointers
}

// update puts together the 19 bytes of an update of the overdraft limit.
func update(a cardtest.Answer, err error) ([]byte, error) {
	b, err := host(a, err)
	if err != nil {
		return nil, err
	}
	return slices.Insert(b, 6, limit(a.Limit)...), nil
}

// limit is an overdraft limit in its three bytes.
func limit(f mac.Fen) []byte { return binary.BigEndian.AppendUint32(nil, uint32(f))[1:] }

// host puts together the 16 bytes of a transaction with the host.
func host(a cardtest.Answer, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	b := binary.BigEndian.AppendUint32(nil, uint32(a.Balance))
	b = binary.BigEndian.AppendUint16(b, uint16(a.Counter))
	b = append(append(b, a.Version, a.Algorithm), a.Random[:]...)
	return append(b, a.MAC1[:]...), nil
}

// offer puts together the 15 bytes of a purchase.
func offer(o cardtest.Offer, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	b := binary.BigEndian.AppendUint32(nil, uint32(o.Balance))
	b = binary.BigEndian.AppendUint16(b, uint16(o.Counter))
	b = append(b, limit(o.Limit)...)
	return append(append(b, o.Version, o.Algorithm), o.Random[:]...), nil
}

// credit is CREDIT FOR LOAD: date, time, MAC2. The answer is the TAC.
func (c *Card) credit(cmd *command) ([]byte, error) {
	if cmd.p1 != 0 || cmd.p2 != 0 {
		return nil, wrongPointers
	}
	date, time, mac2, err := moment(cmd.data)
	if err != nil {
		return nil, err
	}
	tac, err := c.purse.Credit(date, time, mac2)
	return tac[:], err
}

// debit is DEBIT FOR PURCHASE and CASH WITHDRAW (P1 01), whose answer is TAC
// and MAC2, and FOR UNLOAD (03), whose answer is MAC3.
func (c *Card) debit(cmd *command) ([]byte, error) {
	switch {
	case cmd.p2 != 0:
	case cmd.p1 == 0x01:
		return c.debitPurchase(cmd.data)
	case cmd.p1 == 0x03 && len(cmd.data) != 11:
		return nil, wrongLength
	case cmd.p1 == 0x03:
		date, time, mac2, err := moment(cmd.data)
		if err != nil {
			return nil, err
		}
		mac3, err := c.purse.Debit(date, time, mac2)
		return mac3[:], err
	}
	return nil, wrongPointers
}

func (c *Card) debitPurchase(data []byte) ([]byte, error) {
	if len(data) != 15 {
		return nil, wrongLength
	}
	date, time, mac1, err := moment(data[4:])
	if err != nil {
		return nil, err
	}
	mac2, tac, err := c.purse.DebitPurchase(binary.BigEndian.Uint32(data), date, time, mac1)
	return append(tac[:], mac2[:]...), err
}

// moment takes date, time and MAC apart. The card has no calendar; it refuses
// what is no BCD.
func moment(b []byte) (date mac.BCDDate, time mac.BCDTime, m mac.MAC, err error) {
	for _, d := range b[:7] {
		if d>>4 > 9 || d&15 > 9 {
			return date, time, m, wrongData
		}
	}
	return mac.BCDDate(b), mac.BCDTime(b[4:]), mac.MAC(b[7:]), nil
}

// updateLimit is UPDATE OVERDRAW LIMIT: limit, date, time, MAC2. The answer is
// the TAC.
func (c *Card) updateLimit(cmd *command) ([]byte, error) {
	if cmd.p1 != 0 || cmd.p2 != 0 {
		return nil, wrongPointers
	}
	date, time, mac2, err := moment(cmd.data[3:])
	if err != nil {
		return nil, err
	}
	tac, err := c.purse.UpdateLimit(mac.Limit(cmd.data), date, time, mac2)
	return tac[:], err
}

// stage is UPDATE CAPP DATA CACHE: the tag of a record in P1, its file in P2.
func (c *Card) stage(cmd *command) ([]byte, error) {
	if file(cmd.p2>>3) != compoundFile || cmd.p2&7 != 0 {
		return nil, wrongPointers
	}
	return nil, c.purse.Stage(cmd.p1, cmd.data)
}

// authCode is GET DATA of the authentication code.
func (c *Card) authCode(cmd *command) ([]byte, error) {
	code, ok := c.purse.AuthCode()
	if !ok || cmd.p1 != 0 || cmd.p2 != 0 {
		return nil, wrongPointers
	}
	return code[:], nil
}

// prove is GET TRANSACTION PROVE of the transaction with a type and a counter.
// The answer is MAC and TAC.
func (c *Card) prove(cmd *command) ([]byte, error) {
	if cmd.p1 != 0 {
		return nil, wrongPointers
	}
	r, err := c.purse.Prove(mac.TransactionType(cmd.p2), binary.BigEndian.Uint16(cmd.data))
	return append(r.MAC[:], r.TAC[:]...), err
}

// balance is GET BALANCE.
func (c *Card) balance(cmd *command) ([]byte, error) {
	purse := cardtest.Purse(cmd.p2)
	if cmd.p1 != 0 || purse != cardtest.ED && purse != cardtest.EP {
		return nil, wrongPointers
	}
	return binary.BigEndian.AppendUint32(nil, uint32(c.purse.Balance(purse))), nil
}
