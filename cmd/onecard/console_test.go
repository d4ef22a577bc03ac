package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// In a browser, the console shows the cards, loads one, and tells what a torn
// one says.
func TestConsoleInBrowser(t *testing.T) {
	program, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("REQUIRE_CHROMIUM") != "" {
			t.Fatal(err)
		}
		t.Skipf("%v; REQUIRE_CHROMIUM=1 makes this a failure", err)
	}
	p, url := devProcess(t, filepath.Join(t.TempDir(), "sandbox"))
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(time.Minute), chromedp.NoSandbox)
	allocated, stop := chromedp.NewExecAllocator(t.Context(), options...)
	defer stop()
	tab, cancel := chromedp.NewContext(allocated)
	defer cancel()
	tab, done := context.WithTimeout(tab, 2*time.Minute)
	defer done()

	err = chromedp.Do(tab,
		chromedp.Navigate(url+"/_sim/"),
		chromedp.WaitVisible(`body[data-ready=yes] #cards tbody tr:nth-child(7)`),
		chromedp.Click(`#load button`),
		chromedp.WaitVisible(`#steps li:nth-child(4)`),
	)
	loaded, err2 := chromedp.Run(tab, chromedp.Text(`#steps`))
	if err != nil || err2 != nil || !strings.Contains(loaded, "MAC2") || !strings.Contains(loaded, "the card holds 5000 fen") {
		t.Fatalf("the page tells %q of a load (%v, %v)", loaded, err, err2)
	}
	err = chromedp.Do(tab,
		chromedp.Click(`#load [name=tear]`),
		chromedp.Click(`#load button`),
		chromedp.WaitVisible(`#steps li.refused`),
	)
	torn, err2 := chromedp.Run(tab, chromedp.Text(`#steps li.refused`))
	if err != nil || err2 != nil || !strings.Contains(torn, "torn") {
		t.Errorf("the page tells %q of a torn card (%v, %v)", torn, err, err2)
	}
	err = chromedp.Do(tab, chromedp.Click(`#events li button`), chromedp.WaitVisible(`#story:not(:empty)`))
	story, err2 := chromedp.Run(tab, chromedp.Text(`#story`))
	wrong, err3 := chromedp.Run(tab, chromedp.Text(`#error`, chromedp.NodeReady))
	if err != nil || err2 != nil || err3 != nil || !strings.Contains(story, `"token"`) || strings.Contains(story, sandboxKeys["TERM"]) || wrong != "" {
		t.Errorf("the page explains %q and complains of %q (%v, %v, %v)", story, wrong, err, err2, err3)
	}
	p.stop()
}
