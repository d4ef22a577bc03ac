package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"pbochsm/cmd/onecard/internal/api"
	"pbochsm/cmd/onecard/internal/browsertest"
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
	tab := browsertest.Open(t)
	without := newBench(t, nil)
	_, other := without.serve()
	w := browsertest.Watch(tab, t, addr, other)
	signs, err := load(tab, addr, `#operations-ext-extMac3`) // the last one
	answer, err2 := tryNow(tab)
	html, err3 := chromedp.Run(tab, chromedp.OuterHTML(`html`))
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatalf("%v; the page complained of %q", err, w.Complaints())
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
	if all := w.Complaints(); len(all) > 0 {
		t.Errorf("the page complained: %q", all)
	}
	if w.Requests() < 12 {
		t.Errorf("%d requests were seen; is anybody looking?", w.Requests())
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
