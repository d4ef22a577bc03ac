package sim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pbochsm/cmd/onecard/internal/recharge"
	"pbochsm/cmd/onecard/internal/sim"
	"pbochsm/mac"
	"pbochsm/mac/cardtest"
	"pbochsm/mac/reference"
)

// A bank stands in for the system: it answers every call of the API with the
// number of the call, and keeps that number in a file as a ledger would.
type bank struct {
	file   string
	calls  atomic.Int64
	ledger recharge.Ledger
	module mac.HSM
	world  *sim.World
	during func(context.Context) // inside a call
}

func (b *bank) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_sim/") {
		b.world.Handler().ServeHTTP(w, r)
		return
	}
	if err := b.world.AfterToken(r.Context(), r.URL.Path); err != nil {
		_, _ = fmt.Fprint(w, `{"ErrorCode":"9001"}`)
		return
	}
	if b.during != nil {
		b.during(r.Context())
	}
	code := "0000"
	ops := make([]mac.Op, 1)
	switch err := b.module.Do(r.Context(), ops); {
	case err != nil:
		code = "9002"
	case ops[0].Err != nil:
		code = "4001"
	case b.ledger.Commit(r.Context(), &recharge.Change{}) != nil:
		code = "9004"
	}
	_, _ = fmt.Fprintf(w, `{"ErrorCode":"%s","HostTime":"%d"}`, code, b.calls.Load())
}

// Ledger and module that do what they are asked.
type books struct {
	recharge.Ledger
	b *bank
}

func (l books) Commit(context.Context, *recharge.Change) error {
	n := l.b.calls.Add(1)
	return os.WriteFile(l.b.file, fmt.Append(nil, n), 0o600)
}

type agreeing struct{}

func (agreeing) Do(context.Context, []mac.Op) error { return nil }

func (b *bank) List(_ context.Context, kind string) (any, error) { return []string{kind}, nil }
func (b *bank) Make(_ context.Context, kind string, body io.Reader) (any, error) {
	text, err := io.ReadAll(body)
	return map[string]string{"made": kind, "of": string(text)}, err
}
func (b *bank) Furnish(context.Context) error {
	for _, kind := range []string{"01", "02"} {
		if _, err := b.world.Deck().Add("", "", kind); err != nil {
			return err
		}
	}
	return nil
}

var shanghai = time.FixedZone("CST", 8*3600)

// open is a sandbox in dir over a bank, and its server.
func open(t *testing.T, dir string, seed uint64, during func(context.Context)) (*sim.World, string) {
	t.Helper()
	issuer := cardtest.Issuer{Load: reference.Key{1}, Unload: reference.Key{2}, Purchase: reference.Key{3}, TAC: reference.Key{4}}
	clock := sim.NewClock(time.Now)
	clock.Set(time.Date(2026, 11, 23, 9, 15, 0, 0, shanghai), true)
	w, err := sim.Open(t.Context(), sim.Options{
		Dir: dir, Seed: seed, Keys: map[string]string{"APPM": "870fc2e8"}, Zone: shanghai, Clock: clock, Explainer: explainer(t, issuer),
		Kinds: []sim.CardKind{
			{Type: "01", Purse: cardtest.EP, Issuer: issuer, Set: cardSet, Version: 1}, {Type: "02", Purse: cardtest.ED, Issuer: issuer, Set: cardSet, Version: 1},
		},
		Build: func(_ context.Context, w *sim.World) (*sim.Instance, error) {
			b := &bank{file: filepath.Join(dir, "ledger.db"), world: w, during: during}
			b.ledger, b.module = w.Ledger(books{b: b}), w.Module(agreeing{}, 50*time.Millisecond)
			text, err := os.ReadFile(b.file)
			if err == nil {
				var n int64
				_, err = fmt.Sscan(string(text), &n)
				b.calls.Store(n)
			}
			if errors.Is(err, os.ErrNotExist) {
				err = nil
			}
			return &sim.Instance{API: b, Books: b, Close: func() error { return nil }}, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(w)
	t.Cleanup(func() {
		w.EndStreams()
		server.Close()
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w, server.URL
}

// send gives status and body, or the error of a connection that ended.
func send(t *testing.T, method, url, body string, headers ...string) (int, string, http.Header, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), answer.Header, err
}

// get asks for JSON and must get it.
func get(t *testing.T, method, url, body string, to any) {
	t.Helper()
	status, text, _, err := send(t, method, url, body)
	if err != nil || status != http.StatusOK {
		t.Fatalf("%s %s: %d %s %v", method, url, status, text, err)
	}
	if err := json.Unmarshal([]byte(text), to); err != nil {
		t.Fatalf("%s %s: %s: %v", method, url, text, err)
	}
}

func code(text string) string {
	var a struct{ ErrorCode string }
	_ = json.Unmarshal([]byte(text), &a)
	return a.ErrorCode
}

const nowPath = "/tuxedo/now"

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		point sim.Point
		code  string // empty: no answer, or half of one
		books bool   // whether it was booked
	}{
		{sim.BeforeParse, "", false},
		{sim.AfterToken, "9001", false},
		{sim.BeforeModule, "9002", false},
		{sim.SlowModule, "9002", false},
		{sim.WrongMAC1, "4001", false},
		{sim.BeforeCommit, "", false},
		{sim.CommitFails, "9004", false},
		{sim.AfterCommit, "", true},
		{sim.LateAnswer, "0000", true},
		{sim.Twice, "0000", true},
		{sim.HalfFrame, "", true},
		{sim.SlowSender, "0000", true},
		{sim.Midnight, "0000", true},
	} {
		t.Run(string(c.point), func(t *testing.T) {
			dir := t.TempDir()
			_, url := open(t, dir, 1, nil)
			var armed []sim.Fault
			get(t, http.MethodPost, url+"/_sim/faults", `{"point":"`+string(c.point)+`","times":1,"path":"`+nowPath+`"}`, &armed)
			if len(armed) != 1 {
				t.Fatalf("armed: %+v", armed)
			}
			if _, text, _, err := send(t, http.MethodPost, url+"/group/verify", "{}"); err != nil || code(text) != "0000" {
				t.Fatalf("another path: %s, %v", text, err)
			}
			before, _ := os.ReadFile(filepath.Join(dir, "ledger.db"))
			_, text, _, err := send(t, http.MethodPost, url+nowPath, "{}")
			if (err != nil) != (c.code == "") || err == nil && code(text) != c.code {
				t.Errorf("got %q, %v; want %q", text, err, c.code)
			}
			after, _ := os.ReadFile(filepath.Join(dir, "ledger.db"))
			if (string(before) != string(after)) != c.books {
				t.Errorf("the ledger went from %s to %s", before, after)
			}
			if _, text, _, err := send(t, http.MethodPost, url+nowPath, "{}"); err != nil || code(text) != "0000" {
				t.Errorf("the request after it: %s, %v", text, err)
			}
		})
	}
	if len(sim.Points()) != 13 {
		t.Errorf("%d fault points, of which 13 are tested", len(sim.Points()))
	}
}

func TestHeaders(t *testing.T) {
	w, url := open(t, t.TempDir(), 1, nil)
	if _, text, _, err := send(t, http.MethodPost, url+nowPath, "{}", sim.HeaderError, "3007"); err != nil || code(text) != "3007" {
		t.Errorf("%s: %s %v", sim.HeaderError, text, err)
	}
	if _, _, _, err := send(t, http.MethodPost, url+nowPath, "{}", sim.HeaderDrop, "before"); err == nil {
		t.Errorf("%s before: an answer came", sim.HeaderDrop)
	}
	if _, text, _, err := send(t, http.MethodPost, url+nowPath, "{}", sim.HeaderDrop, "after-commit"); err == nil {
		t.Errorf("%s after-commit: %s", sim.HeaderDrop, text)
	}
	begin := time.Now()
	if _, text, _, err := send(t, http.MethodPost, url+nowPath, "{}", sim.HeaderDelay, "60ms"); err != nil || code(text) != "0000" || time.Since(begin) < 60*time.Millisecond {
		t.Errorf("%s: %s after %v, %v", sim.HeaderDelay, text, time.Since(begin), err)
	}
	for _, h := range []string{sim.HeaderError, sim.HeaderDelay, sim.HeaderDrop} {
		if status, _, _, err := send(t, http.MethodPost, url+nowPath, "{}", h, "nonsense"); status != http.StatusBadRequest || err != nil {
			t.Errorf("%s nonsense: %d, %v", h, status, err)
		}
	}
	_, _, header, err := send(t, http.MethodPost, url+nowPath, `{"OrigionDomain":"APPM","ChannelNo":"01","Token":"00"}`, sim.HeaderExplain, "1")
	if err != nil || header.Get(sim.HeaderExplain) == "" {
		t.Fatalf("no explanation: %v %v", header, err)
	}
	var x sim.Explanation
	get(t, http.MethodGet, url+header.Get(sim.HeaderExplain), "", &x)
	if x.Token == nil || x.Token.Matches != "none" || x.Fields["CHANNELNO"] != "01" {
		t.Errorf("explained as %+v", x)
	}
	if len(w.Deck().Cards()) != 2 {
		t.Error("the cards are gone")
	}
}

// The vectors of a token: what the sandbox signs, and what it finds in a token
// that was made otherwise.
func TestSign(t *testing.T) {
	_, url := open(t, t.TempDir(), 1, nil)
	var signed map[string]string
	get(t, http.MethodPost, url+"/_sim/sign", `{"path":"/tuxedo/alverify","body":{"OrigionDomain":"APPM","CarNo":"2150010186001234","CardOldBal":"1000","CardTradeNo":"00ff"}}`, &signed)
	if signed["Token"] != "CA27F3FEEA42BC06626875B97DB77A1A" {
		t.Errorf("signed %v", signed)
	}
	for token, want := range map[string]string{
		"CA27F3FEEA42BC06626875B97DB77A1A": "pair", "D64D5C03D285FF23856E7DE7A1A97C06": "verbatim", "740EAA6266AA5ABAB686BA77E637CC75": "all",
		"740EAA6266AA5ABAB686BA77E637CC76": "none",
	} {
		_, _, header, err := send(t, http.MethodPost, url+"/tuxedo/alverify",
			`{"OrigionDomain":"APPM","CarNo":"2150010186001234","CardOldBal":"1000","CardTradeNo":"00ff","Token":"`+token+`"}`, sim.HeaderExplain, "1")
		if err != nil {
			t.Fatal(err)
		}
		status, text, _, err := send(t, http.MethodGet, url+header.Get(sim.HeaderExplain), "")
		var x sim.Explanation
		if err := errors.Join(err, json.Unmarshal([]byte(text), &x)); err != nil || status != http.StatusOK || !strings.HasPrefix(x.Token.Matches, want) {
			t.Errorf("token %s: %+v, want %s (%v)", token, x.Token, want, err)
		}
		if strings.Contains(text, "870fc2e8") || strings.Contains(text, "870FC2E8") {
			t.Error("the page holds the key")
		}
	}
	if status, _, _, _ := send(t, http.MethodPost, url+"/_sim/sign", `{"body":{"OrigionDomain":"NONE"}}`); status != http.StatusNotFound {
		t.Errorf("a domain that does not exist: %d", status)
	}
}

// What a snapshot kept comes back: ledger, cards, and where their random
// numbers had got to.
func TestSnapshotAndReset(t *testing.T) {
	_, url := open(t, t.TempDir(), 1, nil)
	card := func() string {
		_, text, _, err := send(t, http.MethodPost, url+"/_sim/cards/2150010186000001/init-load", `{"TradeMoney":"5000","TermNo":"112233445566"}`)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	call := func() string {
		_, text, _, err := send(t, http.MethodPost, url+nowPath, "{}")
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	firstCard, firstCall := card(), call()
	var done map[string]string
	get(t, http.MethodPut, url+"/_sim/snapshot/one", "", &done)
	nextCard, nextCall := card(), call()
	if nextCard == firstCard || nextCall == firstCall {
		t.Fatal("nothing moves")
	}
	get(t, http.MethodPost, url+"/_sim/snapshot/one", "", &done)
	if c, a := card(), call(); c != nextCard || a != nextCall {
		t.Errorf("back at the snapshot: %s and %s, want %s and %s", c, a, nextCard, nextCall)
	}
	get(t, http.MethodPost, url+"/_sim/reset", "", &done)
	if c, a := card(), call(); c != firstCard || a != firstCall {
		t.Errorf("after a reset: %s and %s, want %s and %s", c, a, firstCard, firstCall)
	}
	if status, _, _, _ := send(t, http.MethodPost, url+"/_sim/snapshot/none-such", ""); status != http.StatusNotFound {
		t.Errorf("a snapshot that is not there: %d", status)
	}
	if status, _, _, _ := send(t, http.MethodPut, url+"/_sim/snapshot/..%2F..%2Fetc", ""); status != http.StatusBadRequest {
		t.Errorf("a snapshot outside: %d", status)
	}
}

// A torn card is still torn when the sandbox starts again.
func TestCardsSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	init := func(url string) string {
		_, text, _, err := send(t, http.MethodPost, url+"/_sim/cards/2150010186000001/init-load", `{"TradeMoney":"5000","TermNo":"112233445566"}`)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	t.Run("one run", func(t *testing.T) {
		_, url := open(t, dir, 1, nil)
		init(url)
	})
	_, url := open(t, dir, 1, nil)
	other, same := open(t, t.TempDir(), 1, nil)
	init(same)
	if got, want := init(url), init(same); got != want || len(other.Deck().Cards()) != 2 {
		t.Errorf("after a restart the card answers %s, without one %s", got, want)
	}
}

// A reset waits for the requests under way, and the stream of events neither
// holds it up nor ends by it.
func TestResetWaits(t *testing.T) {
	inside, release := make(chan struct{}), make(chan struct{})
	var once atomic.Bool
	_, url := open(t, t.TempDir(), 1, func(context.Context) {
		if once.CompareAndSwap(false, true) {
			close(inside)
			<-release
		}
	})
	stream, err := http.Get(url + "/_sim/events")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	answered, reset := make(chan string), make(chan struct{})
	go func() {
		_, text, _, _ := send(t, http.MethodPost, url+nowPath, "{}")
		answered <- text
	}()
	<-inside
	go func() {
		_, _, _, _ = send(t, http.MethodPost, url+"/_sim/reset", "")
		close(reset)
	}()
	select {
	case <-reset:
		t.Error("the reset did not wait")
	case <-time.After(50 * time.Millisecond):
	}
	close(release)
	if text := <-answered; code(text) != "0000" {
		t.Errorf("the request under way: %s", text)
	}
	<-reset
	seen := new(bytes.Buffer)
	for !strings.Contains(seen.String(), `"text":"reset"`) {
		if _, err := io.CopyN(seen, stream.Body, 1); err != nil {
			t.Fatalf("the stream ended: %s", seen)
		}
	}
	if !strings.Contains(seen.String(), "id: 1\ndata: {") {
		t.Errorf("the stream is %s", seen)
	}
}
