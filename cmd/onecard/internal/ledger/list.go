package ledger

import (
	"context"

	"pbochsm/cmd/onecard/internal/recharge"
)

var (
	listAccounts   = survey(accountsOf + "WHERE a.kind <> 'SYSTEM' ORDER BY a.kind, a.number")
	listVouchers   = survey(vouchersOf + "ORDER BY r.serial")
	listCorporates = survey(corporates + "ORDER BY c.card_no")
	listPersons    = survey("SELECT p.name FROM person p WHERE p.hash <> '' ORDER BY p.name")
	listProposals  = survey(proposalsOf + "ORDER BY p.id")
)

// Accounts gives the accounts of merchants and corporate cards.
func (l *Ledger) Accounts(ctx context.Context) ([]recharge.Account, error) {
	return list(ctx, l, listAccounts, scanAccount)
}

// Vouchers gives the recharge cards.
func (l *Ledger) Vouchers(ctx context.Context) ([]recharge.Voucher, error) {
	return list(ctx, l, listVouchers, scanVoucher)
}

// Corporates gives the corporate cards.
func (l *Ledger) Corporates(ctx context.Context) ([]recharge.Corporate, error) {
	return list(ctx, l, listCorporates, scanCorporate)
}

// Persons gives the names of those who may take part in what takes two.
func (l *Ledger) Persons(ctx context.Context) ([]string, error) {
	return list(ctx, l, listPersons, func(r row) (*string, error) {
		var name string
		err := r.Scan(&name)
		return &name, err
	})
}

// Proposals gives what was proposed, with what became of it.
func (l *Ledger) Proposals(ctx context.Context) ([]recharge.Proposal, error) {
	return list(ctx, l, listProposals, scanProposal)
}

func list[T any](ctx context.Context, l *Ledger, s *statement, scan func(row) (*T, error)) ([]T, error) {
	var all []T
	err := l.engine.read(ctx, []ask{{s, nil, many(&all, scan)}})
	return all, outward(err)
}
