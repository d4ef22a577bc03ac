package api_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"pbochsm/mac"

	"pbochsm/cmd/onecard/internal/api/contract"
	"pbochsm/cmd/onecard/internal/recharge"
)

// What the examples of the fields mean.
var (
	someWrite = recharge.Write{
		CardType: "01", CardNo: "2150010186001234", ASN: mac.Factor{0, 0, 1, 1, 0x86, 0, 0x12, 0x34},
		Terminal: mac.TerminalID{0x11, 0x22, 0x33, 0x44, 0x55, 0x66}, Random: [4]byte{0x1a, 0x2b, 0x3c, 0x4d},
		Counter: 10, Balance: 1000, Amount: 5000, TradeType: recharge.TradeLoad, Version: 1, Algorithm: 0,
		MAC1: mac.MAC{0xde, 0xad, 0xbe, 0xef}, Date: mac.BCDDate{0x20, 0x26, 0x11, 0x23}, Time: mac.BCDTime{9, 0x15, 1},
	}
	somePayment = recharge.Payment{Type: "01", Account: "BUYER@EXAMPLE.COM", TradeID: "2026112322001"}
	someCounter = recharge.Counter{Dept: "0001", Operator: "0001"}
	someName    = recharge.Name{TradeID: someTradeID, CardNo: "2150010186001234", Counter: 10}
)

const (
	someTradeID = "20261123091500000001"
	success     = `{"ErrorCode":"0000","ErrorMsg":"成功"`
	withMAC2    = success + `,"Mac2":"0BADCAFE"}`
)

// Each endpoint asks the service for what the request says, and answers with
// the spellings of the document, byte for byte.
func TestEndpoints(t *testing.T) {
	wants := map[string]struct {
		asked  any
		answer string
	}{
		"/tuxedo/alverify": {
			recharge.AlVerify{CardNo: "2150010186001234", Balance: 1000, Counter: 10},
			success + `,"TradeID":"20261123091500000001","TradeMoney":"5000"}`,
		},
		"/tuxedo/mac1authal": {recharge.Mac1AuthAl{
			TradeID: someTradeID, Channel: "01", Write: someWrite, Payment: somePayment, OperateMode: "02", PhoneModel: "Pixel 9",
		}, withMAC2},
		"/tuxedo/now": {recharge.Now{Channel: "01"}, success + `,"HostDate":"20261123","HostTime":"091501"}`},
		"/prepay/supply": {
			recharge.PrepaySupply{TradeID: someTradeID, Amount: 5000, Merchant: "M0001"},
			success + `,"balunitno":"M0001","balance":"1099511627776"}`,
		},
		"/recharcard/pwcheck": {recharge.CheckPassword{Password: "1234567890123456"}, success + `,"TradeMoney":"10000"}`},
		"/recharcard/supply": {
			recharge.PasswordSupply{Counter: someCounter, Password: "1234567890123456", Write: someWrite}, withMAC2,
		},
		"/prepay/accttranssupply": {
			recharge.AcctTransSupply{TradeID: someTradeID, Merchant: "M0001", Device: "DEMO-1", Write: someWrite}, withMAC2,
		},
		"/card/supply":    {recharge.CardSupply{Counter: someCounter, Write: someWrite}, withMAC2},
		"/group/supply":   {recharge.GroupSupply{Counter: someCounter, Write: someWrite}, withMAC2},
		"/group/pwmodify": {recharge.GroupModify{CardNo: "2150010186001234", Old: "111111", New: "246810"}, success + `}`},
		"/group/verify": {
			recharge.GroupVerify{Card: "0000010186001234", Password: "111111"}, success + `,"TradeMoneuy":"0"}`,
		},
		"/ext/order": {
			recharge.RegisterOrder{TradeID: someTradeID, CardNo: "2150010186001234", Amount: 5000, Payment: somePayment},
			success + `}`,
		},
		"/ext/cancel": {recharge.CancelOrder{TradeID: someTradeID}, success + `}`},
		"/ext/query": {
			recharge.QueryOrder{Name: someName},
			success + `,"TradeID":"20261123091500000001","State":"ISSUED","TradeMoney":"5000"}`,
		},
		"/ext/tac":  {recharge.ConfirmTAC{Name: someName, TAC: mac.TransactionMAC{0xfe, 0xed, 0xfa, 0xce}}, success + `}`},
		"/ext/mac3": {recharge.ConfirmMAC3{Name: someName, MAC3: mac.MAC{0x0b, 0xad, 0xf0, 0x0d}}, success + `}`},
	}
	for _, e := range contract.Endpoints() {
		t.Run(e.Path, func(t *testing.T) {
			b := newBench(t, nil)
			f := valid(e.Path)
			got := b.ask(e.Path, f)
			want, ok := wants[e.Path]
			if !ok {
				t.Fatal("this test does not know the endpoint")
			}
			if got.body != want.answer || got.status != 200 {
				t.Errorf("answer %d\n%s, want\n%s", got.status, got.body, want.answer)
			}
			if b.service.calls() != 1 {
				t.Fatalf("the service was asked %d times", b.service.calls())
			}
			if diff := cmp.Diff(want.asked, b.service.asked[0], cmpopts.IgnoreTypes(recharge.Caller{})); diff != "" {
				t.Error(diff)
			}
			if again := b.ask(e.Path, f); again.body != got.body {
				t.Errorf("asked again: %s", again.body)
			}
			if diff := cmp.Diff(b.service.asked[0], b.service.asked[1]); diff != "" {
				t.Errorf("the same request is another one the second time:\n%s", diff)
			}
		})
	}
}

// Spellings, letter case of hexadecimal digits, order and serials' case do not
// make another request; the path does.
func TestFingerprint(t *testing.T) {
	const path = "/prepay/accttranssupply"
	b := newBench(t, nil)
	for _, f := range []fields{
		valid(path),
		valid(path, "Mac1", "deadbeef", "RndNumber2", "1a2b3c4d", "DeviceNo", "demo-1"),
		renamed(valid(path), "TradeId", "TRADEID", "CardNo", "CarNo", "Asn", "ASN"),
	} {
		if a := b.send(path, f.json()); a.code() != "0000" {
			t.Fatal(a.body)
		}
	}
	for i := range b.service.asked {
		if diff := cmp.Diff(b.service.asked[0], b.service.asked[i]); diff != "" {
			t.Errorf("spelling %d is another request:\n%s", i, diff)
		}
	}
	caller := b.service.asked[0].(recharge.AcctTransSupply).Caller
	if caller.Domain != "APPM" || caller.Source != "192.0.2.1" || caller.Fingerprint == (recharge.Fingerprint{}) {
		t.Errorf("caller %+v", caller)
	}
	b.ask("/card/supply", valid("/card/supply"))
	b.ask("/group/supply", valid("/group/supply"))
	n := len(b.service.asked)
	if b.service.asked[n-2].(recharge.CardSupply).Fingerprint == b.service.asked[n-1].(recharge.GroupSupply).Fingerprint {
		t.Error("the same fields to two paths have one fingerprint")
	}
}

// renamed spells fields otherwise and signs them again: names are signed as
// they are sent.
func renamed(f fields, names ...string) fields {
	for i := 0; i < len(names); i += 2 {
		f[names[i+1]] = f[names[i]]
		delete(f, names[i])
	}
	return f.signed(appKey)
}

func TestSerialNumbersOfTwentyDigits(t *testing.T) {
	b := newBench(t, nil)
	b.ask("/card/supply", valid("/card/supply", "ASN", "99990000010186001234"))
	b.ask("/group/verify", valid("/group/verify", "ASN", "99990000010186001234"))
	if got := b.service.asked[0].(recharge.CardSupply).Write.ASN; got != someWrite.ASN {
		t.Errorf("ASN %X", got)
	}
	if got := b.service.asked[1].(recharge.GroupVerify).Card; got != "0000010186001234" {
		t.Errorf("card %s", got)
	}
}

// A password is compared as it was typed.
func TestPasswordsKeepTheirCase(t *testing.T) {
	b := newBench(t, nil)
	b.ask("/group/pwmodify", valid("/group/pwmodify", "OldPass", "aBcDeF", "NewPass", "xY zZ-9"))
	q := b.service.asked[0].(recharge.GroupModify)
	if q.Old != "aBcDeF" || q.New != "xY zZ-9" {
		t.Errorf("passwords %q and %q", string(q.Old), string(q.New))
	}
}
