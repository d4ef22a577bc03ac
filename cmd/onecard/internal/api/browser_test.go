package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"pbochsm/cmd/onecard/internal/api"
)

// signer does what the sandbox does at /_sim/sign.
func signer(t *testing.T) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Path string
			Body fields
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || r.URL.Path != "/_sim/sign" || q.Path == "" {
			t.Errorf("%s asked to sign %+v: %v", r.URL.Path, q, err)
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"Token": q.Body.signed(appKey)["Token"]})
	})
}

// In a browser without any other host, the page shows the endpoints without
// an error, and "Try it out" carries out a request that the sandbox signed.
func TestPageInBrowser(t *testing.T) {
	b := newBench(t, func(o *api.Options) { o.Sandbox = signer(t) })
	_, addr := b.serve()
	tab := openBrowser(t)
	without := newBench(t, nil)
	_, other := without.serve()
	w := watch(tab, t, addr, other)
	signs, err := load(tab, addr, `#operations-ext-extMac3`) // the last one
	answer, err2 := tryNow(tab)
	html, err3 := chromedp.Run(tab, chromedp.OuterHTML(`html`))
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatalf("%v; the page complained of %q", err, w.complaints())
	}
	if !signs || !strings.Contains(answer, `"ErrorCode": "0000"`) || !strings.Contains(answer, `"HostTime": "091501"`) {
		t.Errorf("the page signs: %v; the answer is %s", signs, answer)
	}
	if strings.Contains(html, appKey) {
		t.Error("the key is in the page")
	}
	// Without a sandbox nothing offers to sign, and a wrong token stays one.
	signs, err = load(tab, other, `#operations-tuxedo-now`)
	answer, err2 = tryNow(tab)
	if err := errors.Join(err, err2); err != nil || signs || !strings.Contains(answer, `"ErrorCode": "2001"`) {
		t.Errorf("without a sandbox the page signs: %v; the answer is %s (%v)", signs, answer, err)
	}
	if all := w.complaints(); len(all) > 0 {
		t.Errorf("the page complained: %q", all)
	}
	if w.requests() < 12 {
		t.Errorf("%d requests were seen; is anybody looking?", w.requests())
	}
}

// load opens the page, waits for element, and tells whether it offers to sign.
func load(tab context.Context, addr, element string) (signs bool, err error) {
	err = chromedp.Do(tab, chromedp.Navigate("http://"+addr+"/docs/"), chromedp.WaitVisible(element))
	if err != nil {
		return false, err
	}
	return chromedp.Run(tab, chromedp.Evaluate[bool](`!document.getElementById("signing").hidden`))
}

// tryNow carries out /tuxedo/now by "Try it out", and gives the answer as the
// page shows it.
func tryNow(tab context.Context) (answer string, err error) {
	const block = `#operations-tuxedo-now `
	err = chromedp.Do(tab,
		chromedp.Click(block+`.opblock-summary-control`),
		chromedp.Click(block+`.try-out__btn`),
		chromedp.Click(block+`.execute`),
		chromedp.WaitVisible(block+`.live-responses-table .response .highlight-code`),
	)
	if err != nil {
		return "", err
	}
	return chromedp.Run(tab, chromedp.Text(block+`.live-responses-table .response .highlight-code`))
}

// openBrowser starts a Chromium that knows no host but this one.
func openBrowser(t *testing.T) context.Context {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("REQUIRE_CHROMIUM") != "" {
			t.Fatal(err)
		}
		t.Skipf("%v; REQUIRE_CHROMIUM=1 makes this a failure", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(time.Minute),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"), chromedp.NoSandbox)
	allocated, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	tab, cancel := chromedp.NewContext(allocated)
	t.Cleanup(cancel)
	timed, done := context.WithTimeout(tab, 2*time.Minute)
	t.Cleanup(done)
	if err := chromedp.Do(timed); err != nil {
		t.Fatal(err)
	}
	return timed
}

// A watcher sees what a page asks for and complains of.
type watcher struct {
	mu        sync.Mutex
	complaint []string
	asked     int
}

func watch(tab context.Context, t *testing.T, addrs ...string) *watcher {
	w := &watcher{}
	err := chromedp.Listen(tab, func(event any) {
		w.mu.Lock()
		defer w.mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			w.asked++
			at, err := url.Parse(e.Request.URL)
			if err != nil || at.Scheme != "data" && !slices.Contains(addrs, at.Host) {
				w.complaint = append(w.complaint, "request to "+e.Request.URL)
			}
		case *runtime.EventExceptionThrown:
			w.complaint = append(w.complaint, e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			if e.Type == "error" || e.Type == "warning" {
				w.complaint = append(w.complaint, string(e.Type))
			}
		case *log.EventEntryAdded:
			if e.Entry.Level == "error" || e.Entry.Level == "warning" {
				w.complaint = append(w.complaint, e.Entry.Text)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *watcher) complaints() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.complaint
}

func (w *watcher) requests() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked
}
