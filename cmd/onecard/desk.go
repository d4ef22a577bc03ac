package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"pbochsm/cmd/onecard/internal/config"
	"pbochsm/cmd/onecard/internal/recharge"
	"pbochsm/cmd/onecard/internal/sim"
)

// A lockedReader lets a seeded source be read from anywhere.
type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}

// A desk is the operator of the sandbox.
type desk struct {
	dir      string
	system   *system
	world    *sim.World
	clock    *sim.Clock
	operator *recharge.Operator
}

func newDesk(cfg *config.Config, s *system, w *sim.World, clock *sim.Clock, random io.Reader) (*desk, error) {
	keys, err := serverKeys(cfg)
	if err != nil {
		return nil, err
	}
	operator, err := recharge.NewOperator(recharge.OperatorOptions{Ledger: s.ledger, Keys: keys, Clock: clock.Now, Rand: random, Settings: settings(cfg)})
	return &desk{dir: filepath.Dir(cfg.Database.SQLite), system: s, world: w, clock: clock, operator: operator}, err
}

const deskName = "sandbox"

// Fixtures are what the sandbox begins with, for programs that want to use it.
type fixtures struct {
	Domains   map[string]string `json:"domains"`
	Keys      map[string]string `json:"keys"` // of the cards' issuer
	Merchant  string            `json:"merchant"`
	Dept      string            `json:"dept"`
	Operator  string            `json:"operator"`
	Recharge  []rechargeCard    `json:"rechargeCards"`
	Cards     []plasticCard     `json:"cards"` // that were never used
	Corporate plasticCard       `json:"corporate"`
}

type rechargeCard struct {
	Serial   string `json:"serial"`
	Password string `json:"password"`
	Fen      int64  `json:"fen"`
}

type plasticCard struct {
	Number   string `json:"number"`
	ASN      string `json:"asn"`
	Type     string `json:"type"`
	TTI      int    `json:"tti"`
	Password string `json:"password,omitempty"`
}

// Furnish fills an empty ledger: simulated cards, a merchant with money,
// recharge cards, a corporate card, and orders that wait for their card.
func (d *desk) Furnish(ctx context.Context) error {
	f := fixtures{Domains: sandboxKeys, Merchant: sandboxMerchant, Dept: sandboxDept, Operator: sandboxOperator}
	deck := d.world.Deck()
	for _, kind := range []string{typePurse, typePurse, typePurse, typePurse, typePurse, typePurse, typeDeposit} {
		if _, err := deck.Add("", "", kind); err != nil {
			return err
		}
	}
	if err := d.operator.CreateMerchant(ctx, deskName, sandboxMerchant, "demo merchant"); err != nil {
		return err
	}
	if _, err := d.operator.TopUp(ctx, deskName, recharge.MerchantAccount, sandboxMerchant, "FIXTURE-TOPUP-1", 1000000); err != nil {
		return err
	}
	if err := d.issue(ctx, &f); err != nil {
		return err
	}
	cards := deck.Cards()
	corporate := cards[5]
	if err := d.operator.CreateCorporate(ctx, deskName, corporate.No, corporate.Card.ASN(), "demo company", sandboxPassword); err != nil {
		return err
	}
	if _, err := d.operator.TopUp(ctx, deskName, recharge.CorporateAccount, corporate.No, "FIXTURE-TOPUP-2", 200000); err != nil {
		return err
	}
	orders := "TradeID,CarNo,TradeMoney,PaymentType,AccountNo,PaymentTradeID\n" +
		"DEMO-0001," + cards[0].No + ",5000,01,buyer@example.com,PAY-0001\n" +
		"DEMO-0002," + cards[1].No + ",3000,02,,\n"
	if _, err := d.operator.ImportOrders(ctx, deskName, "APPM", strings.NewReader(orders)); err != nil {
		return err
	}
	return d.writeFixtures(&f)
}

// issue makes recharge cards; their passwords are known here alone.
func (d *desk) issue(ctx context.Context, f *fixtures) error {
	for _, batch := range []struct {
		count int
		fen   recharge.Fen
	}{{10, 5000}, {5, 10000}} {
		issued, err := d.operator.IssueVouchers(ctx, deskName, recharge.VoucherBatch{
			Count: batch.count, Amount: batch.fen, Expires: d.clock.Now().AddDate(5, 0, 0),
		})
		if err != nil {
			return err
		}
		for _, v := range issued {
			f.Recharge = append(f.Recharge, rechargeCard{v.Serial, string(v.Password), int64(batch.fen)})
		}
	}
	return nil
}

// writeFixtures keeps for programs what they need to know.
func (d *desk) writeFixtures(f *fixtures) error {
	if err := f.issuer(); err != nil {
		return err
	}
	f.plastic()
	corporate := d.world.Deck().Cards()[5]
	f.Corporate = plasticCard{Number: corporate.No, ASN: corporate.ASN, Type: typePurse, TTI: 2, Password: sandboxPassword}
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(d.dir, "fixtures.json"), append(text, '\n'), 0o600)
}

// issuer tells the published keys, for cards that are simulated elsewhere.
func (f *fixtures) issuer() error {
	issuer, err := sandboxIssuer()
	if err != nil {
		return err
	}
	f.Keys = map[string]string{
		"load": fmt.Sprintf("%X", issuer.Load), "unload": fmt.Sprintf("%X", issuer.Unload),
		"purchase": fmt.Sprintf("%X", issuer.Purchase), "tac": fmt.Sprintf("%X", issuer.TAC),
	}
	return nil
}

// plastic tells numbers that no simulated card has.
func (f *fixtures) plastic() {
	for i := range 6 {
		f.Cards = append(f.Cards, plasticCard{
			Number: fmt.Sprintf("21500101770000%02d", i), ASN: fmt.Sprintf("00000101770000%02d", i), Type: typePurse, TTI: 2,
		})
	}
}
