package api_test

import (
	"context"

	"pbochsm/mac"

	"pbochsm/cmd/onecard/internal/api"
	"pbochsm/cmd/onecard/internal/recharge"
)

var _ api.Service = (*service)(nil)

var someMAC2 = recharge.MAC2{MAC2: mac.MAC{0x0b, 0xad, 0xca, 0xfe}}

func (s *service) AlVerify(ctx context.Context, q recharge.AlVerify) (recharge.AlVerified, error) {
	return recharge.AlVerified{TradeID: "20261123091500000001", Amount: 5000}, s.take(ctx, q)
}

func (s *service) Mac1AuthAl(ctx context.Context, q recharge.Mac1AuthAl) (recharge.MAC2, error) {
	return someMAC2, s.take(ctx, q)
}

func (s *service) Now(ctx context.Context, q recharge.Now) (recharge.HostTime, error) {
	return recharge.HostTime{Date: mac.BCDDate{0x20, 0x26, 0x11, 0x23}, Time: mac.BCDTime{0x09, 0x15, 0x01}}, s.take(ctx, q)
}

func (s *service) PrepaySupply(ctx context.Context, q recharge.PrepaySupply) (recharge.PrepaySupplied, error) {
	return recharge.PrepaySupplied{Merchant: "M0001", Balance: 1 << 40}, s.take(ctx, q)
}

func (s *service) CheckPassword(ctx context.Context, q recharge.CheckPassword) (recharge.Worth, error) {
	return recharge.Worth{Amount: 10000}, s.take(ctx, q)
}

func (s *service) PasswordSupply(ctx context.Context, q recharge.PasswordSupply) (recharge.MAC2, error) {
	return someMAC2, s.take(ctx, q)
}

func (s *service) AcctTransSupply(ctx context.Context, q recharge.AcctTransSupply) (recharge.MAC2, error) {
	return someMAC2, s.take(ctx, q)
}

func (s *service) CardSupply(ctx context.Context, q recharge.CardSupply) (recharge.MAC2, error) {
	return someMAC2, s.take(ctx, q)
}

func (s *service) GroupSupply(ctx context.Context, q recharge.GroupSupply) (recharge.MAC2, error) {
	return someMAC2, s.take(ctx, q)
}

func (s *service) GroupModify(ctx context.Context, q recharge.GroupModify) error {
	return s.take(ctx, q)
}

func (s *service) GroupVerify(ctx context.Context, q recharge.GroupVerify) (recharge.Worth, error) {
	return recharge.Worth{}, s.take(ctx, q)
}

func (s *service) Order(ctx context.Context, q recharge.RegisterOrder) error { return s.take(ctx, q) }

func (s *service) Cancel(ctx context.Context, q recharge.CancelOrder) error { return s.take(ctx, q) }

func (s *service) Query(ctx context.Context, q recharge.QueryOrder) (recharge.OrderState, error) {
	return recharge.OrderState{TradeID: "20261123091500000001", State: recharge.Issued, Amount: 5000}, s.take(ctx, q)
}

func (s *service) TAC(ctx context.Context, q recharge.ConfirmTAC) error { return s.take(ctx, q) }

func (s *service) MAC3(ctx context.Context, q recharge.ConfirmMAC3) error { return s.take(ctx, q) }

// silent keeps no record.
type silent struct{ *service }

func (s silent) AcctTransSupply(context.Context, recharge.AcctTransSupply) (recharge.MAC2, error) {
	return someMAC2, nil
}
