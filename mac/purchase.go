package mac

import "context"

// An AuthenticationCode is a card's 安全认证识别码 of CJ/T 166.
type AuthenticationCode [9]byte

// A Purchase is the terminal's side of 消费, 复合消费 and 取现, the part that a PSAM
// plays. See [PBOC] 5.2 to 5.4.
type Purchase struct {
	Card
	Random   [4]byte
	Counter  OfflineCount
	Serial   uint32 // of the terminal
	Amount   Fen
	Type     TransactionType // TypePurchaseED, TypePurchaseEP, TypeWithdraw or TypeCompound
	Terminal TerminalID
	Date     BCDDate // of the terminal
	Time     BCDTime
	Code     *AuthenticationCode // where the profile of the key's set asks for it
}

// Op is the operation that makes MAC1.
func (t Purchase) Op() Op {
	op := t.op(KindPurchase)
	put(&op, Random, t.Random[:]...)
	put16(&op, OfflineCounter, uint16(t.Counter))
	put32(&op, TerminalSerial, t.Serial)
	put32(&op, Amount, uint32(t.Amount))
	put(&op, Type, byte(t.Type))
	put(&op, Terminal, t.Terminal[:]...)
	put(&op, Date, t.Date[:]...)
	put(&op, Time, t.Time[:]...)
	if t.Code != nil {
		AuthCode.SetLen(&op, len(t.Code))
		put(&op, AuthCode, t.Code[:]...)
	}
	return op
}

// StartPurchase answers MAC1.
func StartPurchase(ctx context.Context, hsm HSM, t Purchase) (MAC, error) {
	mac1, err := one(ctx, hsm, t.Op())
	return MAC(mac1), err
}

// A PurchaseProof is the card's proof that it has debited itself. See [PBOC]
// 5.2.
type PurchaseProof struct {
	Card
	Random  [4]byte
	Counter OfflineCount
	Serial  uint32 // of the terminal
	Amount  Fen
	MAC2    MAC
}

// Op is the operation that verifies MAC2.
func (t PurchaseProof) Op() Op {
	op := t.op(KindPurchaseMAC2)
	put(&op, Random, t.Random[:]...)
	put16(&op, OfflineCounter, uint16(t.Counter))
	put32(&op, TerminalSerial, t.Serial)
	put32(&op, Amount, uint32(t.Amount))
	put(&op, MAC2, t.MAC2[:]...)
	return op
}

// VerifyPurchase answers nil, or ErrMAC2.
func VerifyPurchase(ctx context.Context, hsm HSM, t PurchaseProof) error {
	_, err := one(ctx, hsm, t.Op())
	return err
}

// A PurchaseTAC is the card's receipt of a purchase. See [PBOC] 5.2.
type PurchaseTAC struct {
	Card
	Amount   Fen
	Type     TransactionType
	Terminal TerminalID
	Serial   uint32 // of the terminal
	Date     BCDDate
	Time     BCDTime
	TAC      TransactionMAC
}

// Op is the operation that verifies the TAC.
func (t PurchaseTAC) Op() Op {
	op := t.op(KindPurchaseTAC)
	put32(&op, Amount, uint32(t.Amount))
	put(&op, Type, byte(t.Type))
	put(&op, Terminal, t.Terminal[:]...)
	put32(&op, TerminalSerial, t.Serial)
	put(&op, Date, t.Date[:]...)
	put(&op, Time, t.Time[:]...)
	put(&op, TAC, t.TAC[:]...)
	return op
}

// VerifyPurchaseTAC answers nil, or ErrTAC.
func VerifyPurchaseTAC(ctx context.Context, hsm HSM, t PurchaseTAC) error {
	_, err := one(ctx, hsm, t.Op())
	return err
}
