package signature_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pbochsm/cmd/onecard/internal/api/signature"
)

const key = "a signature key of the tests"

var now = time.Unix(1_795_425_301, 0)

func request() signature.Request {
	return signature.Request{
		Method: "POST", Path: "/tuxedo/now", Time: now.Unix(), Nonce: "0123456789abcdef", Body: []byte(`{"ChannelNo":"01"}`),
	}
}

// Computed with openssl dgst -sha256 -hmac.
func TestMake(t *testing.T) {
	r := request()
	want := "time=1795425301, nonce=0123456789abcdef, hmac=" +
		"abe57121b109ac9cc12bb74dbb9904c00f49fbaa3450415095e528e1f4a5322b"
	if got := r.Make(key); got != want {
		t.Errorf("header\n%s, want\n%s", got, want)
	}
}

func TestVerify(t *testing.T) {
	made := request()
	header := made.Make(key)
	for name, c := range map[string]struct {
		change func(*signature.Request)
		header string
		key    string
		at     time.Duration
		want   error
	}{
		"good":         {},
		"late":         {at: 5 * time.Minute},
		"early":        {at: -5 * time.Minute},
		"too late":     {at: 5*time.Minute + time.Second, want: signature.ErrTime},
		"too early":    {at: -5*time.Minute - time.Second, want: signature.ErrTime},
		"other path":   {change: func(r *signature.Request) { r.Path = "/prepay/supply" }, want: signature.ErrHMAC},
		"other method": {change: func(r *signature.Request) { r.Method = "PUT" }, want: signature.ErrHMAC},
		"other body":   {change: func(r *signature.Request) { r.Body = []byte("{}") }, want: signature.ErrHMAC},
		"other key":    {key: key + "x", want: signature.ErrHMAC},
		"other time":   {header: strings.Replace(header, "301,", "302,", 1), want: signature.ErrHMAC},
		"other nonce":  {header: strings.Replace(header, "def,", "dee,", 1), want: signature.ErrHMAC},
		"short hmac":   {header: header[:len(header)-2], want: signature.ErrHMAC},
		"odd hmac":     {header: header[:len(header)-1], want: signature.ErrForm},
		"short nonce":  {header: strings.Replace(header, "0123456789abcdef", "0123456789abcde", 1), want: signature.ErrForm},
		"nonce blank":  {header: strings.Replace(header, "89abcdef", "89 bcdef", 1), want: signature.ErrForm},
		"no header":    {header: " ", want: signature.ErrForm},
		"other order":  {header: strings.Replace(header, "time=", "tim=", 1), want: signature.ErrForm},
		"time in text": {header: strings.Replace(header, "1795425301", "now", 1), want: signature.ErrForm},
	} {
		t.Run(name, func(t *testing.T) {
			r := request()
			r.Time, r.Nonce = 0, ""
			if c.change != nil {
				c.change(&r)
			}
			if c.header == "" {
				c.header = header
			}
			if c.key == "" {
				c.key = key
			}
			nonce, until, err := signature.Verify(now.Add(c.at), 5*time.Minute, c.header, c.key, r)
			if !errors.Is(err, c.want) {
				t.Errorf("Verify: %v, want %v", err, c.want)
			}
			if good := err == nil; good != (nonce == made.Nonce) || good != until.Equal(now.Add(5*time.Minute)) {
				t.Errorf("Verify gives the nonce %q until %v", nonce, until)
			}
		})
	}
}
