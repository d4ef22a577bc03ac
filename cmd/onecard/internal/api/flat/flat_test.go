package flat_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"pbochsm/cmd/onecard/internal/api/flat"
)

var aliases = flat.Aliases{"CARNO": "CARDNO"}

func TestParseAccepts(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want flat.Object
	}{
		"no members":      {`{}`, flat.Object{}},
		"white space":     {" \r\n{\t} \n", flat.Object{}},
		"one":             {`{"Token":"x"}`, flat.Object{{"TOKEN", "TOKEN", "x"}}},
		"null is empty":   {`{"LinkAddr": null }`, flat.Object{{"LINKADDR", "LINKADDR", ""}}},
		"empty":           {`{"LinkAddr":""}`, flat.Object{{"LINKADDR", "LINKADDR", ""}}},
		"alias":           {`{"CarNo":"1"}`, flat.Object{{"CARNO", "CARDNO", "1"}}},
		"order is kept":   {`{"b":"1" , "a":"2"}`, flat.Object{{"B", "B", "1"}, {"A", "A", "2"}}},
		"Chinese":         {`{"LinkAddr":"充值网点"}`, flat.Object{{"LINKADDR", "LINKADDR", "充值网点"}}},
		"escaped Chinese": {`{"a":"\u5145\u503C网"}`, flat.Object{{"A", "A", "充值网"}}},
		"pair":            {`{"a":"\uD83D\uDE8Cx"}`, flat.Object{{"A", "A", "🚌x"}}},
		"short escapes":   {`{"a":"x\"\\\/\b\f\n\r\t"}`, flat.Object{{"A", "A", "x\"\\/\b\f\n\r\t"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := flat.Parse([]byte(c.body), aliases)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	many := strings.Repeat(`"a":"",`, flat.MaxMembers)
	for i := range flat.MaxMembers {
		many = strings.Replace(many, `"a"`, `"n`+strings.Repeat("x", i%8)+string(rune('a'+i/8))+`"`, 1)
	}
	for name, c := range map[string]struct {
		body string
		want error
	}{
		"nothing":               {``, flat.ErrSyntax},
		"array":                 {`[]`, flat.ErrSyntax},
		"string":                {`"a"`, flat.ErrSyntax},
		"byte order mark":       {"\uFEFF{}", flat.ErrSyntax},
		"unquoted name":         {`{TRADEID:"1"}`, flat.ErrSyntax},
		"single quotes":         {`{'a':'1'}`, flat.ErrSyntax},
		"comment":               {`{/**/"a":"1"}`, flat.ErrSyntax},
		"cut off":               {`{"a":"1"`, flat.ErrSyntax},
		"cut in a value":        {`{"a":"1`, flat.ErrSyntax},
		"cut in an escape":      {`{"a":"1\`, flat.ErrSyntax},
		"cut behind an escape":  {`{"a":"\n`, flat.ErrSyntax},
		"comma at the end":      {`{"a":"1",}`, flat.ErrSyntax},
		"comma at the start":    {`{,"a":"1"}`, flat.ErrSyntax},
		"no comma":              {`{"a":"1" "b":"1"}`, flat.ErrSyntax},
		"no colon":              {`{"a" "1"}`, flat.ErrSyntax},
		"raw line break":        {"{\"a\":\"1\n\"}", flat.ErrSyntax},
		"raw break, escape":     {"{\"a\":\"\\t\n\"}", flat.ErrSyntax},
		"raw zero":              {"{\"a\":\"\x00\"}", flat.ErrSyntax},
		"unknown escape":        {`{"a":"\x41"}`, flat.ErrSyntax},
		"short unit":            {`{"a":"\u41"}`, flat.ErrSyntax},
		"unit of other digits":  {`{"a":"\u00g0"}`, flat.ErrSyntax},
		"high half alone":       {`{"a":"\uD83D"}`, flat.ErrSyntax},
		"high half and a text":  {`{"a":"\uD83Dxxxxxx"}`, flat.ErrSyntax},
		"two high halves":       {`{"a":"\uD83D\uD83D"}`, flat.ErrSyntax},
		"low half alone":        {`{"a":"\uDE8C"}`, flat.ErrSyntax},
		"vertical tab as space": {"{\v}", flat.ErrSyntax},
		"bytes behind":          {`{} x`, flat.ErrTrailing},
		"object behind":         {`{}{}`, flat.ErrTrailing},
		"zero behind":           {"{}\x00", flat.ErrTrailing},
		"same name":             {`{"a":"1","a":"2"}`, flat.ErrDuplicate},
		"same name and value":   {`{"a":"1","a":"1"}`, flat.ErrDuplicate},
		"null and a value":      {`{"a":null,"a":"1"}`, flat.ErrDuplicate},
		"other letter case":     {`{"TradeID":"1","TRADEID":"2"}`, flat.ErrDuplicate},
		"alias":                 {`{"CarNo":"1","CardNo":"2"}`, flat.ErrDuplicate},
		"Kelvin sign":           {"{\"To\u212Aen\":\"1\"}", flat.ErrName},
		"long s":                {"{\"A\u017FN\":\"1\"}", flat.ErrName},
		"full width":            {`{"ＡＳＮ":"1"}`, flat.ErrName},
		"escape in a name":      {`{"\u0041SN":"1"}`, flat.ErrName},
		"blank in a name":       {`{"ASN ":"1"}`, flat.ErrName},
		"ampersand in a name":   {`{"A&B":"1"}`, flat.ErrName},
		"equals in a name":      {`{"A=B":"1"}`, flat.ErrName},
		"no name":               {`{"":"1"}`, flat.ErrName},
		"long name":             {`{"` + strings.Repeat("a", flat.MaxName+1) + `":"1"}`, flat.ErrName},
		"name without end":      {`{"a`, flat.ErrName},
		"number":                {`{"TradeMoney":100}`, flat.ErrValue},
		"exponent":              {`{"TradeMoney":1e2}`, flat.ErrValue},
		"true":                  {`{"a":true}`, flat.ErrValue},
		"object":                {`{"a":{"b":"1"}}`, flat.ErrValue},
		"list":                  {`{"a":["1"]}`, flat.ErrValue},
		"capital null":          {`{"a":NULL}`, flat.ErrValue},
		"no value":              {`{"a":}`, flat.ErrValue},
		"longer than null":      {`{"a":nullx}`, flat.ErrSyntax},
		"Latin-1":               {"{\"a\":\"\xE9\"}", flat.ErrEncoding},
		"GBK":                   {"{\"a\":\"\xB3\xE4\"}", flat.ErrEncoding},
		"surrogate in UTF-8":    {"{\"a\":\"\xED\xA0\x80\"}", flat.ErrEncoding},
		"overlong":              {"{\"a\":\"\xC0\x80\"}", flat.ErrEncoding},
		"too many members":      {`{` + many + `"z":""}`, flat.ErrMembers},
		"too long":              {`{"a":"` + strings.Repeat("x", flat.MaxBody) + `"}`, flat.ErrSize},
		"too long by spaces":    {`{}` + strings.Repeat(" ", flat.MaxBody-1), flat.ErrSize},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := flat.Parse([]byte(c.body), aliases)
			if !errors.Is(err, c.want) {
				t.Fatalf("Parse gave %v, %v; want %v", got, err, c.want)
			}
			if got != nil {
				t.Errorf("Parse gave %v beside its error", got)
			}
			if strings.Contains(c.body, "xxxx") && strings.Contains(err.Error(), "xxxx") {
				t.Errorf("the error %q quotes the body", err)
			}
		})
	}
}

// At the very bounds a body is still one.
func TestParseAtItsBounds(t *testing.T) {
	frame := `{"` + strings.Repeat("a", flat.MaxName) + `":""}`
	body := strings.Replace(frame, `""`, `"`+strings.Repeat("x", flat.MaxBody-len(frame))+`"`, 1)
	object, err := flat.Parse([]byte(body), nil)
	if err != nil || len(object) != 1 || len(body) != flat.MaxBody {
		t.Errorf("%d bytes gave %d members and %v", len(body), len(object), err)
	}
}

// Whatever is accepted means the same to encoding/json, and no more names.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":"1","b":null}`, `{"a":"\ud83d\ude8c\n\u0000"}`, `{"CarNo":"1","CardNo":"2"}`, `{"a":1e2}`,
		"{\"K\u212A\":\"1\"}", `{"a":"1"}{}`, body, `{"a":"\uD83D"}`, `{"a":{"a":"1"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		object, err := flat.Parse(body, aliases)
		if err != nil {
			var where *flat.Error
			if !errors.As(err, &where) || where.At < 0 || where.At > len(body) {
				t.Fatalf("%q gave the error %v", body, err)
			}
			return
		}
		var other map[string]*string
		if err := json.Unmarshal(body, &other); err != nil {
			t.Fatalf("%q is accepted; encoding/json says %v", body, err)
		}
		if len(other) != len(object) {
			t.Fatalf("%q has %d members, encoding/json found %d", body, len(object), len(other))
		}
		for name, value := range other {
			got, present := object.Value(key(name))
			if !present || got != deref(value) {
				t.Fatalf("%q: %s is %q, encoding/json found %q", body, name, got, deref(value))
			}
		}
	})
}

func key(name string) string {
	name = strings.ToUpper(name)
	if meant, ok := aliases[name]; ok {
		return meant
	}
	return name
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

const body = `{"OrigionDomain":"APPM","Token":"FF6B59E76DC1EEDB0C1CE34FD9EB75D4","CarNo":"2150010186001234",` +
	`"CardOldBal":"1000","CardTradeNo":"00FF","TradeMoney":"5000","LinkAddr":""}`

func BenchmarkParse(b *testing.B) {
	text := []byte(body)
	b.Run("flat", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := flat.Parse(text, aliases); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var object map[string]string
			if err := json.Unmarshal(text, &object); err != nil {
				b.Fatal(err)
			}
		}
	})
}
