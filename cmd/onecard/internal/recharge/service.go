package recharge

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"pbochsm/mac"
)

// Options are what a Service works with.
type Options struct {
	Ledger Ledger
	HSM    mac.HSM
	Keys   *Keys
	Clock  func() time.Time
	Rand   io.Reader // of fresh serials and salts
	Log    *slog.Logger
	Alarm  func(reason string) // what the operator must see at once; nil: the log
}

// A Service answers the requests of the API. It is safe for concurrent use.
// Its errors are *Error, or count as Internal.
type Service struct {
	Options
	set Settings
}

// New checks the settings.
func New(set Settings, o Options) (*Service, error) {
	if set.Zone == nil || set.Window <= 0 {
		return nil, fmt.Errorf("recharge: no time zone, or no window for HostDate and HostTime")
	}
	return &Service{Options: o, set: set}, nil
}

// AlVerify answers /tuxedo/alverify.
func (s *Service) AlVerify(ctx context.Context, r AlVerify) (AlVerified, error) {
	return AlVerified{}, refuse(Internal)
}

// Mac1AuthAl answers /tuxedo/mac1authal.
func (s *Service) Mac1AuthAl(ctx context.Context, r Mac1AuthAl) (MAC2, error) {
	return MAC2{}, refuse(Internal)
}

// Now answers /tuxedo/now.
func (s *Service) Now(ctx context.Context, r Now) (HostTime, error) {
	return HostTime{}, refuse(Internal)
}

// PrepaySupply answers /prepay/supply.
func (s *Service) PrepaySupply(ctx context.Context, r PrepaySupply) (PrepaySupplied, error) {
	return PrepaySupplied{}, refuse(Internal)
}

// CheckPassword answers /recharcard/pwcheck.
func (s *Service) CheckPassword(ctx context.Context, r CheckPassword) (Worth, error) {
	return Worth{}, refuse(Internal)
}

// PasswordSupply answers /recharcard/supply.
func (s *Service) PasswordSupply(ctx context.Context, r PasswordSupply) (MAC2, error) {
	return MAC2{}, refuse(Internal)
}

// AcctTransSupply answers /prepay/accttranssupply.
func (s *Service) AcctTransSupply(ctx context.Context, r AcctTransSupply) (MAC2, error) {
	return MAC2{}, refuse(Internal)
}

// CardSupply answers /card/supply.
func (s *Service) CardSupply(ctx context.Context, r CardSupply) (MAC2, error) {
	return MAC2{}, refuse(Internal)
}

// GroupSupply answers /group/supply.
func (s *Service) GroupSupply(ctx context.Context, r GroupSupply) (MAC2, error) {
	return MAC2{}, refuse(Internal)
}

// GroupModify answers /group/pwmodify.
func (s *Service) GroupModify(ctx context.Context, r GroupModify) error { return refuse(Internal) }

// GroupVerify answers /group/verify.
func (s *Service) GroupVerify(ctx context.Context, r GroupVerify) (Worth, error) {
	return Worth{}, refuse(Internal)
}

// Order answers /ext/order.
func (s *Service) Order(ctx context.Context, r RegisterOrder) error { return refuse(Internal) }

// Cancel answers /ext/cancel.
func (s *Service) Cancel(ctx context.Context, r CancelOrder) error { return refuse(Internal) }

// Query answers /ext/query.
func (s *Service) Query(ctx context.Context, r QueryOrder) (OrderState, error) {
	return OrderState{}, refuse(Internal)
}

// TAC answers /ext/tac.
func (s *Service) TAC(ctx context.Context, r ConfirmTAC) error { return refuse(Internal) }

// MAC3 answers /ext/mac3.
func (s *Service) MAC3(ctx context.Context, r ConfirmMAC3) error { return refuse(Internal) }
