package ledger

import (
	"context"

	"pbochsm/cmd/onecard/internal/recharge"
)

const (
	accountList   = "SELECT a.id, a.kind, a.number, a.name, a.balance, a.status FROM account a "
	listAccounts  = accountList + "WHERE a.kind <> 'SYSTEM' ORDER BY a.kind, a.number"
	listProposals = " ORDER BY id"
)

// Accounts gives the accounts of merchants and corporate cards.
func (l *Ledger) Accounts(ctx context.Context) ([]recharge.Account, error) {
	return list(ctx, l, listAccounts, scanAccount)
}

// Vouchers gives the recharge cards.
func (l *Ledger) Vouchers(ctx context.Context) ([]recharge.Voucher, error) {
	return list(ctx, l, voucherList+"ORDER BY serial", scanVoucher)
}

// Corporates gives the corporate cards.
func (l *Ledger) Corporates(ctx context.Context) ([]recharge.Corporate, error) {
	return list(ctx, l, findCorporate+"ORDER BY c.card_no", scanCorporate)
}

// Proposals gives what was proposed, with what became of it.
func (l *Ledger) Proposals(ctx context.Context) ([]recharge.Proposal, error) {
	return list(ctx, l, proposalList+listProposals, scanProposal)
}

func list[T any](ctx context.Context, l *Ledger, text string, scan func(row) (*T, error)) ([]T, error) {
	var all []T
	err := l.engine.read(ctx, []statement{{sql: text, rows: anyRows, scan: many(&all, scan)}})
	return all, outward(err)
}
