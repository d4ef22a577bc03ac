package token_test

import (
	"strings"
	"testing"

	"pbochsm/cmd/onecard/internal/api/flat"
	"pbochsm/cmd/onecard/internal/api/token"
)

const documentKey = "870fc2e8"

// vectors were computed outside Go, with md5sum, except that the first is the
// document's own.
var vectors = []struct {
	id, body            string
	pair, verbatim, all string
}{
	{
		"T1", `{"TRADEID":"54BF6567","CARDNO":"2150010186001234"}`,
		"5C82876E385B14BB4F97EB3920AE9F09", "5C82876E385B14BB4F97EB3920AE9F09", "F504C69AD35278B970E1E485319EC463",
	},
	{
		"T2", `{"OrigionDomain":"APPM","ChannelNo":"01"}`,
		"FF6B59E76DC1EEDB0C1CE34FD9EB75D4", "FF6B59E76DC1EEDB0C1CE34FD9EB75D4", "C63DB4892C9C3B6D090F0D7C785402A0",
	},
	{
		"T3", `{"OrigionDomain":"APPM","CarNo":"2150010186001234","CardOldBal":"1000","CardTradeNo":"00ff"}`,
		"CA27F3FEEA42BC06626875B97DB77A1A", "D64D5C03D285FF23856E7DE7A1A97C06", "740EAA6266AA5ABAB686BA77E637CC75",
	},
	{
		"T4", `{"OrigionDomain":"TERM","CardNo":"2150010186001234","OldPass":"111111","NewPass":"246810"}`,
		"BB0B75E73C852FB153B4BD10E99787C1", "BB0B75E73C852FB153B4BD10E99787C1", "DCEC3830A18A106E1830C383C560F96D",
	},
	{
		"T5", `{"OrigionDomain":"APPM","TradeID":"20261123091500000001","ChannelNo":"01","CarNo":"2150010186001234",` +
			`"ASN":"0000010186001234","CardType":"01","TermNo":"112233445566","TradeType":"01","RndNumber2":"1A2B3C4D",` +
			`"CardTradeNo":"000A","CardOldBal":"1000","TradeMoney":"5000","KeyVersion":"01","ArithIndex":"00",` +
			`"Mac1":"DEADBEEF","HostDate":"20261123","HostTime":"091501","PaymentType":"01",` +
			`"AccountNo":"buyer@example.com","PaymentTradeID":"2026112322001","OperateMode":"02",` +
			`"PhoneModel":"Pixel 9","LinkAddr":""}`,
		"1BB656FCF8266B8AF741FEF4836DE8C4", "82CCCBA3C981A125593AE278356BBA6E", "E3F9995B571493B597DD472AE352CEAA",
	},
}

func TestMake(t *testing.T) {
	for _, v := range vectors {
		object := parse(t, v.body)
		for p, want := range map[token.Profile]string{
			token.Pair: v.pair, token.Verbatim: v.verbatim, token.All: v.all,
		} {
			if got, err := token.Make(p, token.UTF8, object, documentKey); got != want || err != nil {
				t.Errorf("%s, profile %d: %s, %v; want %s", v.id, p, got, err, want)
			}
		}
	}
}

func TestCharset(t *testing.T) {
	object := parse(t, `{"LinkAddr":"充值网点"}`)
	for c, want := range map[token.Charset]string{
		token.UTF8: "0EC0EC8A227A40A64A6C29314697CBB8",
		token.GBK:  "C1651CDFA025D59E4942254DB8810108",
	} {
		got, err := token.Make(token.Pair, c, object, documentKey)
		if got != want || err != nil {
			t.Errorf("charset %d: %s, %v; want %s", c, got, err, want)
		}
		for other := token.UTF8; other <= token.GBK; other++ {
			if ok := (token.Rule{Charset: other}).Check(object, documentKey, want); ok != (other == c) {
				t.Errorf("the token of charset %d under charset %d: %v", c, other, ok)
			}
		}
	}
	bus := parse(t, `{"LinkAddr":"🚌"}`)
	if made, err := token.Make(token.Pair, token.GBK, bus, documentKey); err != token.ErrCharset {
		t.Errorf("a character outside GBK gave %v", err)
	} else if (token.Rule{Charset: token.GBK}).Check(bus, documentKey, made) {
		t.Error("a token over something else was accepted for a character outside GBK")
	}
}

func TestCheck(t *testing.T) {
	for _, v := range vectors {
		object := parse(t, v.body)
		for _, all := range []bool{false, true} {
			rule := token.Rule{All: all}
			for claimed, want := range map[string]bool{
				v.pair:                       true,
				v.verbatim:                   true,
				strings.ToLower(v.pair):      true,
				v.all:                        all,
				"":                           false,
				v.pair[:token.Size-1]:        false,
				v.pair + "0":                 false,
				strings.Repeat("0", 32):      false,
				"1" + v.pair[1:]:             v.pair[0] == '1',
				v.pair[:token.Size-1] + "\n": false,
			} {
				if got := rule.Check(object, documentKey, claimed); got != want {
					t.Errorf("%s, all %v: Check(%q) = %v", v.id, all, claimed, got)
				}
			}
			if rule.Check(object, "870fc2e9", v.pair) {
				t.Errorf("%s: accepted under another key", v.id)
			}
		}
	}
}

// What does not count for the token does not change it; what counts does.
func TestWhatIsSigned(t *testing.T) {
	base := vectors[1]
	for name, c := range map[string]struct {
		body string
		same bool
	}{
		"order":             {`{"ChannelNo":"01","OrigionDomain":"APPM"}`, true},
		"names' case":       {`{"ORIGIONDOMAIN":"APPM","channelno":"01"}`, true},
		"values' case":      {`{"OrigionDomain":"appm","ChannelNo":"01"}`, true},
		"token itself":      {`{"OrigionDomain":"APPM","ChannelNo":"01","toKEN":"x"}`, true},
		"empty member":      {`{"OrigionDomain":"APPM","ChannelNo":"01","LinkAddr":""}`, true},
		"null member":       {`{"OrigionDomain":"APPM","ChannelNo":"01","LinkAddr":null}`, true},
		"zero has a value":  {`{"OrigionDomain":"APPM","ChannelNo":"01","LinkAddr":"0"}`, false},
		"other value":       {`{"OrigionDomain":"APPM","ChannelNo":"02"}`, false},
		"blank in a value":  {`{"OrigionDomain":"APPM","ChannelNo":"01 "}`, false},
		"less":              {`{"OrigionDomain":"APPM"}`, false},
		"another name":      {`{"OrigionDomain":"APPM","ChannelN":"01"}`, false},
		"values swapped":    {`{"OrigionDomain":"01","ChannelNo":"APPM"}`, false},
		"escaped character": {`{"OrigionDomain":"\u0041PPM","ChannelNo":"01"}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (token.Rule{}).Check(parse(t, c.body), documentKey, base.pair); got != c.same {
				t.Errorf("the token of %s fits %s: %v", base.body, c.body, got)
			}
		})
	}
}

// The names are signed as they were sent: CARNO stands behind CARDOLDBAL.
func TestAliasesAreNotSigned(t *testing.T) {
	sent, meant := `{"CarNo":"1","CardOldBal":"2"}`, `{"CardNo":"1","CardOldBal":"2"}`
	a, _ := token.Make(token.Pair, token.UTF8, parse(t, sent), documentKey)
	b, _ := token.Make(token.Pair, token.UTF8, parse(t, meant), documentKey)
	if a == b {
		t.Error("CarNo is signed as CardNo")
	}
	if token.String(parse(t, sent)) != token.String(parse(t, meant)) {
		t.Error("the same request under an alias has another pair string")
	}
}

func TestString(t *testing.T) {
	object := parse(t, `{"Token":"ff","TradeId":"a1","CarNo":"2","Asn":null,"OrigionDomain":"appm"}`)
	if got, want := token.String(object), "CARDNO=2&ORIGIONDOMAIN=APPM&TRADEID=A1"; got != want {
		t.Errorf("pair string %q, want %q", got, want)
	}
}

func parse(t testing.TB, body string) flat.Object {
	t.Helper()
	object, err := flat.Parse([]byte(body), flat.Aliases{"CARNO": "CARDNO"})
	if err != nil {
		t.Fatal(err)
	}
	return object
}

// No object that differs in what is signed has the same token.
func FuzzCheck(f *testing.F) {
	f.Add("a", "b", "c", "d")
	f.Add("1&TRADEID=1", "", "1", "1")
	f.Add("a", "", "A", "")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		if strings.ContainsAny(a+b+c+d, "&=") { // the adapter refuses these before
			return
		}
		one := flat.Object{{Name: "A", Key: "A", Value: a}, {Name: "B", Key: "B", Value: b}}
		two := flat.Object{{Name: "A", Key: "A", Value: c}, {Name: "B", Key: "B", Value: d}}
		made, err := token.Make(token.Pair, token.UTF8, one, documentKey)
		if err != nil || !(token.Rule{}).Check(one, documentKey, made) {
			t.Fatalf("the token of %q is refused", one)
		}
		first, second := strings.ToUpper(a+"="+b), strings.ToUpper(c+"="+d)
		same := first == second
		if got := (token.Rule{}).Check(two, documentKey, made); got != same {
			t.Fatalf("the token of %q fits %q: %v", one, two, got)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	object := parse(b, vectors[4].body)
	b.ReportAllocs()
	for b.Loop() {
		if !(token.Rule{}).Check(object, documentKey, vectors[4].pair) {
			b.Fatal("refused")
		}
	}
}
