package mac

import "context"

// An Unload is the host's side of 圈提, which takes money off a deposit. See
// [PBOC] 5.5.
type Unload struct {
	Card
	Random   [4]byte
	Counter  OnlineCount
	Balance  Fen // before the unload
	Amount   Fen
	Terminal TerminalID
	Date     BCDDate // of the host
	Time     BCDTime
	MAC1     MAC // as the card gave it
}

// Op is the operation that checks MAC1 and makes MAC2.
func (t Unload) Op() Op {
	op := t.op(KindUnload)
	put(&op, Random, t.Random[:]...)
	put16(&op, OnlineCounter, uint16(t.Counter))
	put32(&op, OldBalance, uint32(t.Balance))
	put32(&op, Amount, uint32(t.Amount))
	put(&op, Terminal, t.Terminal[:]...)
	put(&op, Date, t.Date[:]...)
	put(&op, Time, t.Time[:]...)
	put(&op, MAC1, t.MAC1[:]...)
	return op
}

// AuthorizeUnload checks MAC1 and answers MAC2, or ErrMAC1. The money may be
// credited only when MAC3 has verified.
func AuthorizeUnload(ctx context.Context, hsm HSM, t Unload) (MAC, error) {
	mac2, err := one(ctx, hsm, t.Op())
	return MAC(mac2), err
}

// An UnloadProof is the card's proof that it has debited itself. See [PBOC]
// 5.5.
type UnloadProof struct {
	Card
	Random   [4]byte
	Counter  OnlineCount // before its increment
	Balance  Fen         // after the unload
	Amount   Fen
	Terminal TerminalID
	Date     BCDDate
	Time     BCDTime
	MAC3     MAC
}

// Op is the operation that verifies MAC3.
func (t UnloadProof) Op() Op {
	op := t.op(KindUnloadMAC3)
	put(&op, Random, t.Random[:]...)
	put16(&op, OnlineCounter, uint16(t.Counter))
	put32(&op, NewBalance, uint32(t.Balance))
	put32(&op, Amount, uint32(t.Amount))
	put(&op, Terminal, t.Terminal[:]...)
	put(&op, Date, t.Date[:]...)
	put(&op, Time, t.Time[:]...)
	put(&op, MAC3, t.MAC3[:]...)
	return op
}

// VerifyUnload answers nil, or ErrMAC3.
func VerifyUnload(ctx context.Context, hsm HSM, t UnloadProof) error {
	_, err := one(ctx, hsm, t.Op())
	return err
}
