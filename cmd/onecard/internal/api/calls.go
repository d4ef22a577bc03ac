package api

import (
	"context"
	"fmt"
	"strconv"

	"pbochsm/cmd/onecard/internal/recharge"
)

// A Service decides on requests: recharge.Service. It has one method for each
// endpoint, so that a sandbox can stand in front of it.
type Service interface {
	AlVerify(context.Context, recharge.AlVerify) (recharge.AlVerified, error)
	Mac1AuthAl(context.Context, recharge.Mac1AuthAl) (recharge.MAC2, error)
	Now(context.Context, recharge.Now) (recharge.HostTime, error)
	PrepaySupply(context.Context, recharge.PrepaySupply) (recharge.PrepaySupplied, error)
	CheckPassword(context.Context, recharge.CheckPassword) (recharge.Worth, error)
	PasswordSupply(context.Context, recharge.PasswordSupply) (recharge.MAC2, error)
	AcctTransSupply(context.Context, recharge.AcctTransSupply) (recharge.MAC2, error)
	CardSupply(context.Context, recharge.CardSupply) (recharge.MAC2, error)
	GroupSupply(context.Context, recharge.GroupSupply) (recharge.MAC2, error)
	GroupModify(context.Context, recharge.GroupModify) error
	GroupVerify(context.Context, recharge.GroupVerify) (recharge.Worth, error)
	Order(context.Context, recharge.RegisterOrder) error
	Cancel(context.Context, recharge.CancelOrder) error
	Query(context.Context, recharge.QueryOrder) (recharge.OrderState, error)
	TAC(context.Context, recharge.ConfirmTAC) error
	MAC3(context.Context, recharge.ConfirmMAC3) error
}

var _ Service = (*recharge.Service)(nil)

// A call asks the service for what a request wants, and gives the values of
// the answer in the order of the endpoint's names.
type call func(context.Context, Service, *request) ([]string, error)

// calls is what each path does.
var calls = map[string]call{
	"/tuxedo/alverify":        ask(Service.AlVerify, (*request).alVerify, alVerified),
	"/tuxedo/mac1authal":      ask(Service.Mac1AuthAl, (*request).mac1AuthAl, mac2),
	"/tuxedo/now":             ask(Service.Now, (*request).now, hostTime),
	"/prepay/supply":          ask(Service.PrepaySupply, (*request).prepaySupply, prepaySupplied),
	"/recharcard/pwcheck":     ask(Service.CheckPassword, (*request).checkPassword, worth),
	"/recharcard/supply":      ask(Service.PasswordSupply, (*request).passwordSupply, mac2),
	"/prepay/accttranssupply": ask(Service.AcctTransSupply, (*request).acctTransSupply, mac2),
	"/card/supply":            ask(Service.CardSupply, (*request).cardSupply, mac2),
	"/group/supply":           ask(Service.GroupSupply, (*request).groupSupply, mac2),
	"/group/pwmodify":         order(Service.GroupModify, (*request).groupModify),
	"/group/verify":           ask(Service.GroupVerify, (*request).groupVerify, worth),
	"/ext/order":              order(Service.Order, (*request).registerOrder),
	"/ext/cancel":             order(Service.Cancel, (*request).cancelOrder),
	"/ext/query":              ask(Service.Query, (*request).queryOrder, orderState),
	"/ext/tac":                order(Service.TAC, (*request).confirmTAC),
	"/ext/mac3":               order(Service.MAC3, (*request).confirmMAC3),
}

// ask makes the call of a method that answers something.
func ask[Q, A any](
	method func(Service, context.Context, Q) (A, error), translate func(*request) Q, values func(A) []string,
) call {
	return func(ctx context.Context, s Service, r *request) ([]string, error) {
		answer, err := method(s, ctx, translate(r))
		if err != nil {
			return nil, err
		}
		return values(answer), nil
	}
}

// order makes the call of a method that answers nothing but success.
func order[Q any](method func(Service, context.Context, Q) error, translate func(*request) Q) call {
	return func(ctx context.Context, s Service, r *request) ([]string, error) {
		return nil, method(s, ctx, translate(r))
	}
}

func mac2(a recharge.MAC2) []string             { return []string{fmt.Sprintf("%X", a.MAC2)} }
func worth(a recharge.Worth) []string           { return []string{fen(a.Amount)} }
func alVerified(a recharge.AlVerified) []string { return []string{a.TradeID, fen(a.Amount)} }
func hostTime(a recharge.HostTime) []string {
	return []string{fmt.Sprintf("%X", a.Date), fmt.Sprintf("%X", a.Time)}
}
func prepaySupplied(a recharge.PrepaySupplied) []string {
	return []string{a.Merchant, fen(a.Balance)}
}
func orderState(a recharge.OrderState) []string {
	return []string{a.TradeID, string(a.State), fen(a.Amount)}
}

func fen(amount recharge.Fen) string { return strconv.FormatInt(int64(amount), 10) }
