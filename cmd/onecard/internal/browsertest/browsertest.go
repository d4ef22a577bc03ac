// Package browsertest opens the pages of onecard in a real browser that knows no
// other host, and sees what they ask for and complain of.
package browsertest

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Open starts a Chromium that knows no host but this one.
func Open(t *testing.T) context.Context {
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

// A Watcher sees what a page asks for and complains of.
type Watcher struct {
	mu        sync.Mutex
	complaint []string
	asked     int
}

// Watch watches what a tab does from now on. A request to a host that is not
// among addrs is a complaint.
func Watch(tab context.Context, t *testing.T, addrs ...string) *Watcher {
	t.Helper()
	w := &Watcher{}
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

// Complaints are what was wrong so far.
func (w *Watcher) Complaints() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.complaint
}

// Requests is how many there were so far.
func (w *Watcher) Requests() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.asked
}
