package api_test

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"pbochsm/cmd/onecard/internal/api"
	"pbochsm/cmd/onecard/internal/api/contract"
	"pbochsm/cmd/onecard/internal/recharge"
)

// Whatever code the domain answers with is told as the table has it, and its
// cause only to the log.
func TestCodes(t *testing.T) {
	b := newBench(t, nil)
	for _, result := range contract.Results() {
		if result.Code == recharge.Success {
			continue
		}
		b.service.err = fmt.Errorf("wrapped: %w", &recharge.Error{Code: result.Code, Field: "CARDNO", Cause: errors.New("innermost")})
		for accept, want := range map[string]string{
			"":                         result.Chinese + "：CarNo",
			"zh-CN,zh;q=0.9":           result.Chinese + "：CarNo",
			"en":                       result.English + ": CarNo",
			"en-GB,en;q=0.9,zh;q=0":    result.English + ": CarNo",
			"fr, en;q=0.5":             result.English + ": CarNo",
			"fr":                       result.Chinese + "：CarNo",
			"*":                        result.Chinese + "：CarNo",
			"\x00, nonsense;;":         result.Chinese + "：CarNo",
			strings.Repeat("en,", 100): result.Chinese + "：CarNo",
		} {
			a := b.ask(alverify, valid(alverify), "Accept-Language", accept)
			if a.code() != fmt.Sprintf("%04d", result.Code) || a.fields["ErrorMsg"] != want || a.status != result.Status {
				t.Errorf("%04d, language %q: %d %s, want %d %s", result.Code, accept, a.status, a.body, result.Status, want)
			}
			if a.header.Get("Retry-After") != "" != (a.status == 429 || a.status == 503) {
				t.Errorf("%04d with status %d: Retry-After %q", result.Code, a.status, a.header.Get("Retry-After"))
			}
		}
	}
	if !strings.Contains(b.log.String(), "innermost") {
		t.Error("the cause is not in the log")
	}
}

// Who has sent too many wrong passwords is told to wait for the next minute at
// least: nothing that comes before it is answered otherwise.
func TestRetryAfterWrongPasswords(t *testing.T) {
	const pwcheck = "/recharcard/pwcheck"
	for second, want := range map[int]string{0: "60", 42: "18", 59: "1"} {
		b := newBench(t, func(o *api.Options) {
			o.Now = func() time.Time { return clock.Truncate(time.Minute).Add(time.Duration(second) * time.Second) }
		})
		b.service.err = &recharge.Error{Code: recharge.TooManyRequests}
		a := b.ask(pwcheck, valid(pwcheck))
		if got := a.header.Get("Retry-After"); got != want || a.status != 429 || a.code() != "2004" {
			t.Errorf("at second %d: %d %s, Retry-After %q, want %s", second, a.status, a.body, got, want)
		}
	}
}

// An error that the domain did not mean for callers is internal, and so is a
// code that is in no table.
func TestOtherErrors(t *testing.T) {
	b := newBench(t, nil)
	for _, err := range []error{errors.New("a detail"), &recharge.Error{Code: 4444}} {
		b.service.err = err
		a := b.ask(alverify, valid(alverify))
		if a.status != 500 || a.body != `{"ErrorCode":"9005","ErrorMsg":"系统错误"}` {
			t.Errorf("%v: %d %s", err, a.status, a.body)
		}
	}
}

func TestPanics(t *testing.T) {
	b := newBench(t, nil)
	b.service.panic = true
	a := b.ask(alverify, valid(alverify))
	if a.status != 500 || a.code() != "9005" || a.header.Get("Connection") != "close" {
		t.Errorf("%d %s %v", a.status, a.body, a.header)
	}
	if !strings.Contains(b.log.String(), `"msg":"panic"`) {
		t.Error("the log does not tell of the panic")
	}
	b.service.panic = false
	if a := b.ask(alverify, valid(alverify)); a.code() != "0000" {
		t.Errorf("after the panic: %s", a.body)
	}
}

func TestProfiles(t *testing.T) {
	for _, c := range []struct {
		name          string
		width         int
		success, fail string
	}{
		{"four", 0, "0000", "3010"},
		{"", 0, "0000", "3010"},
		{"two", 0, "00", "30"},
		{"padded", 6, "000000", "003010"},
		{"padded", 12, "000000000000", "000000003010"},
	} {
		profile, err := contract.NewProfile(c.name, c.width)
		if err != nil {
			t.Fatal(err)
		}
		b := newBench(t, func(o *api.Options) { o.Profile = profile })
		if got := b.ask(alverify, valid(alverify)).code(); got != c.success {
			t.Errorf("%s %d: success is %s", c.name, c.width, got)
		}
		b.service.err = &recharge.Error{Code: recharge.CounterWentBack}
		if got := b.ask(alverify, valid(alverify)).code(); got != c.fail {
			t.Errorf("%s %d: 3010 is %s", c.name, c.width, got)
		}
	}
	for _, c := range []struct {
		name  string
		width int
	}{{"padded", 5}, {"padded", 13}, {"three", 0}} {
		if _, err := contract.NewProfile(c.name, c.width); err == nil {
			t.Errorf("profile %s %d is accepted", c.name, c.width)
		}
	}
}

// In every profile success is all zeros, nothing else is, and no two codes are
// the same.
func TestProfilesTellCodesApart(t *testing.T) {
	for _, name := range []string{"four", "two", "padded"} {
		profile, err := contract.NewProfile(name, 8)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]recharge.Code{}
		for _, result := range contract.Results() {
			text := profile.Print(result.Code)
			if n, err := strconv.Atoi(text); err != nil || (n == 0) != (result.Code == 0) {
				t.Errorf("%s prints %04d as %s", name, result.Code, text)
			}
			if other, ok := seen[text]; ok {
				t.Errorf("%s prints %04d and %04d as %s", name, other, result.Code, text)
			}
			seen[text] = result.Code
		}
	}
}

func TestAlways200(t *testing.T) {
	b := newBench(t, func(o *api.Options) { o.Always200 = true; o.Language = contract.English })
	b.service.err = &recharge.Error{Code: recharge.HSMUnavailable}
	a := b.ask(alverify, valid(alverify))
	if a.status != 200 || a.body != `{"ErrorCode":"9002","ErrorMsg":"security module unavailable"}` || a.header.Get("Retry-After") == "" {
		t.Errorf("%d %s %v", a.status, a.body, a.header)
	}
	if a := b.send("/tuxedo/nothing", "{}"); a.status != http.StatusOK || a.code() != "1006" {
		t.Errorf("unknown path: %d %s", a.status, a.body)
	}
}
