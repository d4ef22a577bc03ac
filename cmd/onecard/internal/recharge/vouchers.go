package recharge

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"
)

// A VoucherBatch is what recharge cards are made of.
type VoucherBatch struct {
	Count   int
	Amount  Fen
	Expires time.Time
}

// An IssuedVoucher is a new recharge card. Its password is in the ledger as an
// HMAC alone, so this is the only time that anybody sees it.
type IssuedVoucher struct {
	Serial   string
	Password Password
}

// mostVouchers is how many recharge cards one call makes.
const mostVouchers = 10_000

// IssueVouchers makes recharge cards that can be spent from now on.
func (o *Operator) IssueVouchers(ctx context.Context, who string, b VoucherBatch) ([]IssuedVoucher, error) {
	switch {
	case b.Count < 1 || b.Count > mostVouchers:
		return nil, fmt.Errorf("%w: the count is not within 1 to %d", ErrUnsuited, mostVouchers)
	case b.Amount < 1 || b.Amount > o.Settings.most():
		return nil, errBadAmount
	case !b.Expires.After(o.Clock()):
		return nil, fmt.Errorf("%w: it would expire in the past", ErrUnsuited)
	}
	for range mostTries {
		issued, err := o.issueVouchers(ctx, who, b)
		if !errors.Is(err, ErrConflict) {
			return issued, err
		}
	}
	return nil, ErrBusy
}

// issueVouchers makes a batch. One whose number is taken is ErrConflict.
func (o *Operator) issueVouchers(ctx context.Context, who string, b VoucherBatch) ([]IssuedVoucher, error) {
	batch, err := freshBatch(o.Rand)
	if err != nil {
		return nil, err
	}
	issued := make([]IssuedVoucher, b.Count)
	c := &Change{
		Event:    o.event("VOUCHERS", who),
		Postings: []Posting{{From: BankAccount, To: VoucherAccount, Amount: b.Amount * Fen(b.Count)}},
	}
	c.Event.Note = fmt.Sprintf("batch %s: %d of %d fen", batch, b.Count, b.Amount)
	for i := range issued {
		password, err := freshPassword(o.Rand)
		if err != nil {
			return nil, err
		}
		issued[i] = IssuedVoucher{Serial: fmt.Sprintf("%s-%05d", batch, i+1), Password: password}
		c.Vouchers = append(c.Vouchers, Voucher{
			Serial: issued[i].Serial, Digest: o.Keys.Digest(password), Amount: b.Amount, Status: Active, Expires: b.Expires.UnixMilli(),
		})
	}
	if err := o.Ledger.Commit(ctx, c); err != nil {
		return nil, err
	}
	return issued, nil
}

func freshBatch(r io.Reader) (string, error) {
	var b [4]byte
	_, err := io.ReadFull(r, b[:])
	return strings.ToUpper(hex.EncodeToString(b[:])), err
}

// freshPassword gives 16 digits, each as likely as any other.
func freshPassword(r io.Reader) (Password, error) {
	n, err := rand.Int(r, big.NewInt(1e16))
	if err != nil {
		return "", err
	}
	return Password(fmt.Sprintf("%016d", n)), nil
}

// SetVoucherStatus blocks a recharge card that is not spent, or opens it again.
func (o *Operator) SetVoucherStatus(ctx context.Context, who, serial string, to Status) error {
	from := Active
	if to == Active {
		from = Blocked
	}
	k, err := o.Ledger.Find(ctx, Question{Serial: serial})
	switch {
	case err != nil:
		return err
	case k.Voucher == nil:
		return fmt.Errorf("%w: recharge card %s", ErrUnknown, serial)
	case to != Active && to != Blocked || k.Voucher.Status != from:
		return ErrStatus
	}
	c := &Change{Event: o.event("STATUS", who), Statuses: []StatusMove{{Voucher: serial, From: from, To: to}}}
	c.Event.Note = "VOUCHER " + serial + " " + string(to)
	return o.Ledger.Commit(ctx, c)
}
