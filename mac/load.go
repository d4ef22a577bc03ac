package mac

import "context"

// A Load is the host's side of 圈存: what the card answered to INITIALIZE FOR
// LOAD, and what the host adds. See [PBOC] 5.1.
type Load struct {
	Card
	Random   [4]byte
	Counter  OnlineCount
	Balance  Fen // before the load
	Amount   Fen
	Type     TransactionType // TypeLoadED or TypeLoadEP
	Terminal TerminalID
	Date     BCDDate // of the host
	Time     BCDTime
	MAC1     MAC // as the card gave it
}

// Op is the operation that checks MAC1 and makes MAC2.
func (t Load) Op() Op {
	op := t.op(KindLoad)
	put(&op, Random, t.Random[:]...)
	put16(&op, OnlineCounter, uint16(t.Counter))
	put32(&op, OldBalance, uint32(t.Balance))
	put32(&op, Amount, uint32(t.Amount))
	put(&op, Type, byte(t.Type))
	put(&op, Terminal, t.Terminal[:]...)
	put(&op, Date, t.Date[:]...)
	put(&op, Time, t.Time[:]...)
	put(&op, MAC1, t.MAC1[:]...)
	return op
}

// AuthorizeLoad checks MAC1 and answers MAC2, or ErrMAC1.
func AuthorizeLoad(ctx context.Context, hsm HSM, t Load) (MAC, error) {
	mac2, err := one(ctx, hsm, t.Op())
	return MAC(mac2), err
}

// A LoadTAC is the card's receipt of a load. See [PBOC] 5.1.
type LoadTAC struct {
	Card
	Balance  Fen         // after the load
	Counter  OnlineCount // before its increment
	Amount   Fen
	Type     TransactionType
	Terminal TerminalID
	Date     BCDDate
	Time     BCDTime
	TAC      TransactionMAC
}

// Op is the operation that verifies the TAC.
func (t LoadTAC) Op() Op {
	op := t.op(KindLoadTAC)
	put32(&op, NewBalance, uint32(t.Balance))
	put16(&op, OnlineCounter, uint16(t.Counter))
	put32(&op, Amount, uint32(t.Amount))
	put(&op, Type, byte(t.Type))
	put(&op, Terminal, t.Terminal[:]...)
	put(&op, Date, t.Date[:]...)
	put(&op, Time, t.Time[:]...)
	put(&op, TAC, t.TAC[:]...)
	return op
}

// VerifyLoadTAC answers nil, or ErrTAC.
func VerifyLoadTAC(ctx context.Context, hsm HSM, t LoadTAC) error {
	_, err := one(ctx, hsm, t.Op())
	return err
}
