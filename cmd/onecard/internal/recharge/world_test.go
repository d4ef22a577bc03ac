package recharge_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pbochsm/cmd/onecard/internal/ledger"
	"pbochsm/cmd/onecard/internal/ledger/pgtest"
	"pbochsm/cmd/onecard/internal/recharge"
	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/cardtest"
	"pbochsm/mac/lanes"
	"pbochsm/mac/reference"
)

var postgres pgtest.Shared

func TestMain(m *testing.M) {
	code := m.Run()
	postgres.Stop()
	os.Exit(code)
}

// each runs a test on an empty ledger in each database.
func each(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, "sqlite:"+filepath.Join(t.TempDir(), "ledger.db")) })
	t.Run("postgres", func(t *testing.T) {
		dsn, err := postgres.Server(t).NewDatabase(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		test(t, dsn)
	})
}

var (
	issuer = cardtest.Issuer{
		Load: reference.Key(bytes.Repeat([]byte("load"), 4)), Unload: reference.Key(bytes.Repeat([]byte("take"), 4)),
		Purchase: reference.Key(bytes.Repeat([]byte("pays"), 4)), TAC: reference.Key(bytes.Repeat([]byte("seal"), 4)),
	}
	outer    = mac.Factor{1, 2, 3, 4, 5, 6, 7, 8}
	terminal = mac.TerminalID{0x11, 0x22, 0x33, 0x44, 0x55, 0x66}
	cheap    = recharge.Cost{Passes: 1, Memory: 64}
)

// module is a security module with the issuer's keys.
func module(t testing.TB) mac.HSM {
	t.Helper()
	var entries []keystore.Entry
	for use, k := range map[keystore.Usage]reference.Key{
		keystore.UsageLoad: issuer.Load, keystore.UsageUnload: issuer.Unload, keystore.UsageTAC: issuer.TAC,
	} {
		entries = append(entries, keystore.Entry{
			Key: keystore.Key{
				Ref: keystore.Ref{Set: 1, Usage: use, Version: 1}, Index: uint16(len(entries) + 1), Cipher: keystore.Cipher3DES,
				Levels: 2, State: keystore.StateActive, KCV: k.KCV(),
			},
			Secret: keystore.Secret(k),
		})
	}
	s, err := keystore.NewSnapshot(keystore.ModeTest, 0, keystore.KCV{}, entries)
	if err != nil {
		t.Fatal(err)
	}
	return mac.NewEngine(keystore.NewLive(s), lanes.New())
}

// settings are those of most tests.
func settings() recharge.Settings {
	return recharge.Settings{
		Zone: time.FixedZone("CST", 8*3600), Window: 10 * time.Minute, SoleLoader: true, Unload: true,
		PaymentTypes: []string{"01", "02", "03"}, OperateModes: []string{"01", "02"},
		Domains: []recharge.Domain{
			{Code: "APPM"}, {Code: "WEBM", Merchants: []string{"M1", "M2"}}, {Code: "TERM", Depts: []string{"D1"}},
			{Code: "FREE", TrustChannel: true},
		},
		Schemes: []recharge.Scheme{
			{ID: 1, CardTypes: []string{"01"}, Set: 1, Factors: []mac.Factor{outer}, LoadType: mac.TypeLoadEP, MaxAmount: 50000, MaxBalance: 100000},
			{ID: 2, CardTypes: []string{"02"}, Set: 1, Factors: []mac.Factor{outer}, LoadType: mac.TypeLoadED},
		},
		Budgets: recharge.Budgets{SourceHour: 5, PerMinute: 1000},
	}
}

// A world is a ledger with a service and an operator before it.
type world struct {
	t       testing.TB
	ledger  *ledger.Ledger
	service *recharge.Service
	office  *recharge.Operator
	keys    *recharge.Keys
	now     atomic.Int64
	cards   atomic.Int64
}

func newWorld(t testing.TB, dsn string, set recharge.Settings) *world {
	t.Helper()
	if err := ledger.Migrate(context.Background(), dsn); err != nil {
		t.Fatal(err)
	}
	return join(t, dsn, set)
}

// join adds a process to a ledger that exists.
func join(t testing.TB, dsn string, set recharge.Settings) *world {
	t.Helper()
	w := &world{t: t}
	w.now.Store(time.Date(2026, 11, 23, 1, 15, 1, 0, time.UTC).UnixMilli())
	var err error
	if w.ledger, err = ledger.Open(context.Background(), ledger.Options{DSN: dsn, Fatal: func(err error) { t.Error(err) }}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.ledger.Close() })
	if w.keys, err = recharge.NewKeys(bytes.Repeat([]byte{7}, 32)); err != nil {
		t.Fatal(err)
	}
	random := &locked{source: rand.NewChaCha8([32]byte{byte(len(dsn))})}
	w.service, err = recharge.New(set, recharge.Options{
		Ledger: w.ledger, HSM: module(t), Keys: w.keys, Clock: w.clock, Rand: random, Cost: cheap, Alarm: func(string) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.office, err = recharge.NewOperator(recharge.OperatorOptions{
		Ledger: w.ledger, Keys: w.keys, Clock: w.clock, Rand: random, Cost: cheap,
		Settings: set,
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

type locked struct {
	mu     sync.Mutex
	source *rand.ChaCha8
}

func (l *locked) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.source.Read(p)
}

func (w *world) clock() time.Time { return time.UnixMilli(w.now.Load()) }

func (w *world) pass(d time.Duration) { w.now.Add(d.Milliseconds()) }

// must fails the test on an error.
func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// A holder is a card with its number.
type holder struct {
	*cardtest.Card
	number string
}

// card makes the card of number n.
func card(n int) *holder {
	number := fmt.Sprintf("%016d", n)
	var asn mac.Factor
	if _, err := fmt.Sscanf(number, "%16x", (*hexFactor)(&asn)); err != nil {
		panic(err)
	}
	return &holder{cardtest.New(cardtest.Options{
		Issuer: issuer, Factors: []mac.Factor{outer}, ASN: asn, Version: 1, Rand: rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)}), UnloadEP: true,
	}), "6" + number[1:]}
}

type hexFactor mac.Factor

// Scan reads the digits of a factor.
func (f *hexFactor) Scan(state fmt.ScanState, _ rune) error {
	digits, err := state.Token(true, nil)
	if err != nil {
		return err
	}
	_, err = fmt.Sscanf(string(digits), "%2x%2x%2x%2x%2x%2x%2x%2x", &f[0], &f[1], &f[2], &f[3], &f[4], &f[5], &f[6], &f[7])
	return err
}

// newCard gives a card that no other test of this world has.
func (w *world) newCard() *holder {
	return card(1000 + int(w.cards.Add(1)))
}

// write has a card answer INITIALIZE FOR LOAD, and makes the request of it.
func (w *world) write(c *holder, amount recharge.Fen) recharge.Write {
	w.t.Helper()
	a, err := c.InitLoad(cardtest.EP, mac.Fen(amount), terminal)
	w.must(err)
	return w.request(c, a, amount, recharge.TradeLoad)
}

func (w *world) unload(c *holder, amount recharge.Fen) recharge.Write {
	w.t.Helper()
	a, err := c.InitUnload(cardtest.EP, mac.Fen(amount), terminal)
	w.must(err)
	return w.request(c, a, amount, recharge.TradeUnload)
}

func (w *world) request(c *holder, a cardtest.Answer, amount recharge.Fen, kind recharge.TradeType) recharge.Write {
	now, err := w.service.Now(context.Background(), recharge.Now{Caller: w.caller("APPM", "now")})
	w.must(err)
	return recharge.Write{
		CardType: "01", CardNo: c.number, ASN: c.ASN(), Terminal: terminal, Random: a.Random, Counter: a.Counter,
		Balance: recharge.Fen(a.Balance), Amount: amount, TradeType: kind, Version: a.Version, Algorithm: a.Algorithm, MAC1: a.MAC1,
		Date: now.Date, Time: now.Time,
	}
}

// caller is who sends a request whose fields are what.
func (w *world) caller(domain string, what ...any) recharge.Caller {
	return recharge.Caller{Domain: domain, Source: "terminal", Fingerprint: w.keys.Fingerprint("/test", fmt.Sprint(what...))}
}

// The endpoints, with most of their fields made up.

func (w *world) prepaid(domain, serial, merchant string, wr recharge.Write) (recharge.MAC2, error) {
	return w.service.AcctTransSupply(context.Background(), recharge.AcctTransSupply{
		Caller: w.caller(domain, "prepaid", serial, merchant, wr), TradeID: serial, Merchant: merchant, Device: "DEV1", Write: wr,
	})
}

func (w *world) cash(wr recharge.Write) (recharge.MAC2, error) {
	return w.service.CardSupply(context.Background(), recharge.CardSupply{
		Caller: w.caller("TERM", "cash", wr), Counter: recharge.Counter{Dept: "D1", Operator: "O1"}, Write: wr,
	})
}

func (w *world) group(wr recharge.Write) (recharge.MAC2, error) {
	return w.service.GroupSupply(context.Background(), recharge.GroupSupply{
		Caller: w.caller("TERM", "group", wr), Counter: recharge.Counter{Dept: "D1", Operator: "O1"}, Write: wr,
	})
}

func (w *world) voucher(source string, p recharge.Password, wr recharge.Write) (recharge.MAC2, error) {
	by := w.caller("TERM", "voucher", string(p), wr)
	by.Source = source
	return w.service.PasswordSupply(context.Background(), recharge.PasswordSupply{
		Caller: by, Counter: recharge.Counter{Dept: "D1", Operator: "O1"}, Password: p, Write: wr,
	})
}

var paid = recharge.Payment{Type: "01", Account: "buyer@example.com", TradeID: ""}

func (w *world) order(domain, serial string, c *holder, amount recharge.Fen) error {
	return w.service.Order(context.Background(), recharge.RegisterOrder{
		Caller: w.caller(domain, "order", serial, c.number, amount), TradeID: serial, CardNo: c.number, Amount: amount, Payment: paid,
	})
}

func (w *world) mac1authal(domain, serial string, wr recharge.Write) (recharge.MAC2, error) {
	return w.service.Mac1AuthAl(context.Background(), recharge.Mac1AuthAl{
		Caller: w.caller(domain, "mac1authal", serial, wr), TradeID: serial, Channel: "01", Write: wr, Payment: paid, OperateMode: "02",
	})
}

func (w *world) alverify(domain string, c *holder) (recharge.AlVerified, error) {
	n, _ := c.Counters(cardtest.EP)
	return w.service.AlVerify(context.Background(), recharge.AlVerify{
		Caller: w.caller(domain), CardNo: c.number, Balance: recharge.Fen(c.Balance(cardtest.EP)), Counter: n,
	})
}

func (w *world) state(domain, serial string) recharge.State {
	w.t.Helper()
	s, err := w.service.Query(context.Background(), recharge.QueryOrder{Caller: w.caller(domain), Name: recharge.Name{TradeID: serial}})
	w.must(err)
	return s.State
}

// merchant opens the account of a merchant.
func (w *world) merchant(number string, balance recharge.Fen) {
	w.t.Helper()
	w.must(w.office.CreateMerchant(context.Background(), "op", number, "Merchant "+number))
	if balance > 0 {
		_, err := w.office.TopUp(context.Background(), "op", recharge.MerchantAccount, number, "OPEN-"+number, balance)
		w.must(err)
	}
}

func (w *world) vouchers(n int, amount recharge.Fen) []recharge.IssuedVoucher {
	w.t.Helper()
	v, err := w.office.IssueVouchers(context.Background(), "op", recharge.VoucherBatch{
		Count: n, Amount: amount, Expires: w.clock().Add(24 * time.Hour),
	})
	w.must(err)
	return v
}

// balance is what an account has, by its postings.
func (w *world) balance(kind recharge.AccountKind, number string) recharge.Fen {
	w.t.Helper()
	return recharge.Fen(w.sound().Balances[string(kind)+" "+number])
}

// sound verifies the ledger.
func (w *world) sound() ledger.Report {
	w.t.Helper()
	r, err := w.ledger.Verify(context.Background())
	w.must(err)
	for _, f := range r.Faults {
		w.t.Error(f)
	}
	return r
}

// refused tells whether err is a refusal with code.
func refused(t testing.TB, err error, code recharge.Code) {
	t.Helper()
	var e *recharge.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("got %v, want a refusal with %04d", err, code)
	}
}
