//go:build cgo && !nopkcs11 && linux

package pkcs11_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/pkcs11"
	"pbochsm/pkcs11/tokentest"
)

var faultCount = flag.Int("pkcs11.faults", 20, "how many random faults to inject")

// What the tests of faults allow. A machine that is busy with other things adds
// to everything, so the deadline has some slack.
const (
	deadline  = time.Second
	slack     = 2 * time.Second
	recovered = 5 * time.Second
)

// A load asks a backend without end, and holds every answer against the
// reference.
type load struct {
	t       testing.TB
	b       *pkcs11.Backend
	keys    *keystore.Snapshot
	entries []keystore.Entry

	right, refused, wrong atomic.Int64
	longest               atomic.Int64 // ns
	unexpected            atomic.Pointer[error]

	stop chan struct{}
	all  sync.WaitGroup
}

func startLoad(t testing.TB, b *pkcs11.Backend, keys *keystore.Snapshot, entries []keystore.Entry, clients int) *load {
	l := &load{t: t, b: b, keys: keys, entries: entries, stop: make(chan struct{})}
	for i := range clients {
		s := newSource(uint64(100 + i))
		chains := s.chains(200, entries)
		want := judged(t, entries, chains)
		l.all.Go(func() { l.run(s, chains, want) })
	}
	t.Cleanup(l.end)
	return l
}

func (l *load) end() {
	select {
	case <-l.stop:
	default:
		close(l.stop)
	}
	l.all.Wait()
}

func (l *load) run(s source, chains, want []mac.Chain) {
	for {
		select {
		case <-l.stop:
			return
		default:
		}
		from := s.IntN(len(chains))
		to := min(len(chains), from+1+s.IntN(3))
		asked := clone(chains[from:to])
		began := time.Now()
		err := l.b.Run(l.t.Context(), l.keys, asked)
		l.longest.Store(max(l.longest.Load(), int64(time.Since(began))))
		for i := range asked {
			l.judge(asked[i], want[from+i], err)
		}
		if err != nil {
			time.Sleep(time.Millisecond)
		}
	}
}

func (l *load) judge(got, want mac.Chain, err error) {
	if err == nil {
		err = got.Err
	}
	switch {
	case err == nil && same(got, want):
		l.right.Add(1)
	case err == nil:
		l.wrong.Add(1)
	case errors.Is(err, mac.ErrUnavailable), errors.Is(err, mac.ErrUnsupported):
		l.refused.Add(1)
	default:
		l.unexpected.Store(&err)
	}
}

// recovers waits for right answers, and tells how long that took.
func (l *load) recovers() (time.Duration, bool) {
	began := time.Now()
	for right := l.right.Load(); l.right.Load() < right+20; {
		if time.Since(began) > 4*recovered {
			return time.Since(began), false
		}
		time.Sleep(time.Millisecond)
	}
	return time.Since(began), true
}

func (l *load) check() {
	l.t.Helper()
	if n := l.wrong.Load(); n != 0 {
		l.t.Errorf("%d wrong answers", n)
	}
	if err := l.unexpected.Load(); err != nil {
		l.t.Errorf("an error that no caller expects: %v", *err)
	}
	if d := time.Duration(l.longest.Load()); d > 2*deadline+slack {
		l.t.Errorf("a request took %v, its deadline is %v", d, deadline)
	}
}

// faultyToken is SoftHSM behind the fault module, under load.
func faultyToken(t *testing.T, tune func(*pkcs11.Config)) (*load, *controlBlock, tokentest.Fixture) {
	f, control := faulty(t, tokentest.SoftHSM(t))
	s := newSource(3)
	entries := s.entries()
	keys := install(t, f, entries)
	*control = controlBlock{} // the logins so far were not the backend's
	cfg := f.Config(t)
	cfg.Deadline = deadline
	cfg.Cache = 64
	if tune != nil {
		tune(&cfg)
	}
	b := serve(t, cfg)
	l := startLoad(t, b, keys, entries, 3)
	return l, control, f
}

// The codes of each class of docs/pkcs11.md, and one that nobody knows. Those of
// the PIN have a test of their own.
var codes = []uint32{
	0x10, 0x13, 0x21, 0x63, 0x68, 0x70, 0x71, 0xD0, 0xD1, // request
	0xB3, 0xB0, 0x90, 0x91, // session
	0x82, 0x60, // handle
	0x101,                                                       // login
	0x02, 0x05, 0x06, 0x30, 0x31, 0x32, 0xE0, 0xE1, 0xB1, 0x190, // device
	0x80000123, // a vendor's
}

// draw makes the rules of one fault: a call spoilt some times, and sometimes
// another one that a recovery makes.
func (s source) draw() []rule {
	r := rule{
		function: uint32([]int{
			anyCall, callDeriveKey, callDeriveKey, callEncryptInit, callEncrypt, callDestroyObject, callGetAttributeValue, callCreateObject,
		}[s.IntN(8)]),
		after: uint32(s.IntN(50)), times: uint32(1 + s.IntN(3)), action: refuse, code: codes[s.IntN(len(codes))],
	}
	switch s.IntN(20) {
	case 0:
		r.action, r.millis, r.times = hang, uint32(2*deadline/time.Millisecond), 1
	case 1, 2:
		r.action, r.times, r.function = renumber, 1, callDeriveKey
	case 3, 4, 5:
		r.action = doAndRefuse
	}
	rules := []rule{r}
	if s.IntN(4) == 0 { // and something goes wrong on the way back
		rules = append(rules, rule{
			function: uint32(callInitialize + s.IntN(calls-callInitialize)), after: uint32(s.IntN(3)), times: 1,
			action: refuse, code: codes[s.IntN(len(codes))],
		})
	}
	return rules
}

func (r rule) String() string {
	return fmt.Sprintf("%s call %d to %d of %s with 0x%X", actionNames[r.action], r.after+1, r.after+r.times, callNames[r.function], r.code)
}

// Any code from any call, hangs, and restarts that renumber everything: no
// answer is wrong, no request waits longer than its deadline, the token serves
// again within seconds, and logs in at most once a second.
func TestRandomFaults(t *testing.T) {
	l, control, _ := faultyToken(t, nil)
	if _, ok := l.recovers(); !ok {
		t.Fatal("the token does not serve")
	}
	s := newSource(4)
	var worst time.Duration
	met := 0
	for n := range *faultCount {
		rules := s.draw()
		control.arm(rules...)
		for wait := time.Now(); control.fired() == 0 && time.Since(wait) < deadline; {
			time.Sleep(time.Millisecond)
		}
		if rules[0].action == hang {
			time.Sleep(deadline / 2)
		} else {
			time.Sleep(time.Duration(s.IntN(20)) * time.Millisecond)
		}
		if control.disarm() > 0 {
			met++
		}
		took, ok := l.recovers()
		worst = max(worst, took)
		if !ok || took > recovered {
			t.Errorf("fault %d, %v: recovered after %v; %+v", n, rules, took, l.b.Status())
		}
		if !ok || l.wrong.Load() != 0 {
			break
		}
	}
	l.end()
	l.check()
	gap := time.Duration(control.leastGap)
	t.Logf("%d faults met of %d, %d right answers, %d refused, %d wrong; slowest recovery %v, slowest request %v, %d logins, least gap %v, %+v",
		met, *faultCount, l.right.Load(), l.refused.Load(), l.wrong.Load(), worst, time.Duration(l.longest.Load()), control.logins, gap, l.b.Status().Recoveries)
	if met < *faultCount/2 {
		t.Errorf("only %d of %d faults met a call", met, *faultCount)
	}
	if gap != 0 && gap < 990*time.Millisecond {
		t.Errorf("two logins within %v", gap)
	}
}

// The folder of the token goes away, and comes back.
func TestTokenGoesAndComesBack(t *testing.T) {
	l, control, f := faultyToken(t, nil)
	if _, ok := l.recovers(); !ok {
		t.Fatal("the token does not serve")
	}
	for range 2 {
		if err := os.Rename(f.Dir, f.Dir+".away"); err != nil {
			t.Fatal(err)
		}
		control.arm(rule{function: callDeriveKey, times: 1, action: refuse, code: 0x82}) // as SoftHSM says of a key whose file is gone
		for wait := time.Now(); l.b.Status().Serving(); time.Sleep(time.Millisecond) {
			if time.Since(wait) > 10*time.Second {
				t.Fatal("the token is gone, and serves")
			}
		}
		control.disarm()
		time.Sleep(200 * time.Millisecond)
		if err := os.Rename(f.Dir+".away", f.Dir); err != nil {
			t.Fatal(err)
		}
		took, ok := l.recovers()
		if !ok || took > recovered {
			t.Errorf("recovered after %v: %+v", took, l.b.Status())
		}
	}
	l.end()
	l.check()
}

// A token that refuses the PIN is not asked again.
func TestWrongPINStopsEverything(t *testing.T) {
	for _, code := range []uint32{0xA0, 0xA4} {
		l, control, _ := faultyToken(t, nil)
		if _, ok := l.recovers(); !ok {
			t.Fatal("the token does not serve")
		}
		logins := control.logins
		control.arm(
			rule{function: callDeriveKey, times: 1, action: refuse, code: 0x30},
			rule{function: callLogin, times: 100, action: refuse, code: code},
		)
		time.Sleep(2500 * time.Millisecond)
		if n := control.logins - logins; n != 1 {
			t.Errorf("%d logins with a wrong PIN, want 1", n)
		}
		if l.b.Status().Serving() {
			t.Error("the token serves without a login")
		}
		l.end()
		l.check()
	}
}

// More hanging calls than may be given up: the token is down until they end.
func TestHangsAreCapped(t *testing.T) {
	l, control, _ := faultyToken(t, func(c *pkcs11.Config) { c.Abandon = 2 })
	if _, ok := l.recovers(); !ok {
		t.Fatal("the token does not serve")
	}
	control.arm(rule{function: callDeriveKey, times: 1000, action: hang, millis: 60_000})
	for wait := time.Now(); l.b.Status().Serving(); time.Sleep(10 * time.Millisecond) {
		if time.Since(wait) > 30*time.Second {
			t.Fatalf("every call hangs, and the token serves: %+v", l.b.Status())
		}
	}
	if s := l.b.Status(); s.Stuck == 0 || s.Stuck > 3 {
		t.Errorf("%d calls were given up, at most 3 may be", s.Stuck)
	}
	control.disarm()
	if took, ok := l.recovers(); !ok || took > recovered {
		t.Errorf("recovered after %v: %+v", took, l.b.Status())
	}
	l.end()
	l.check()
}
