package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"pbochsm/cmd/onecard/internal/browsertest"
)

// The console in a browser: it shows the world, loads a card, tears one and
// writes it again, spends, arms faults, explains what went wrong, and begins
// anew; and no key reaches it.
func TestConsole(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sandbox")
	p, url := devProcess(t, dir)
	tab := browsertest.Open(t)
	w := browsertest.Watch(tab, t, strings.TrimPrefix(url, "http://"))
	c := &console{t, tab}
	c.do(chromedp.Navigate(url+"/_sim/"), chromedp.WaitVisible(`body[data-ready="yes"]`))
	c.until(`document.querySelectorAll("#cards tbody tr").length === 7`)

	c.click(`#load > button`)
	c.until(`document.querySelector("#steps").textContent.includes("the card holds 5000 fen")`)
	c.until(`document.querySelector("#cards tbody tr td:nth-child(3)").textContent === "5000"`)
	c.until(`document.querySelector("#books").textContent.includes('"state": "ISSUED"')`)
	c.click(`#cards tbody tr:first-child button`) // spend 100
	c.until(`document.querySelector("#cards tbody tr td:nth-child(3)").textContent === "4900"`)

	// A card that is torn from the reader, and the rewrite.
	c.click(`#load [name=tear]`)
	c.click(`#load > button`)
	c.until(`document.querySelector("#steps .refused")?.textContent.includes("that is the rewrite")`)
	c.click(`#load > button`)
	c.until(`document.querySelector("#steps").textContent.includes("the card holds 9900 fen")`)

	// A fault, and what it did.
	c.until(`(document.querySelector("#fault [name=point]").value = "wrong-mac1") !== ""`)
	c.click(`#fault > button`)
	c.until(`document.querySelector("#faults").textContent.includes("wrong-mac1")`)
	c.click(`#load > button`)
	c.until(`document.querySelector("#steps .refused")?.textContent.includes("4001")`)
	c.until(`document.querySelector("#faults").textContent === "[]"`)
	c.click(`#events li.refused button`)
	c.until(`document.querySelector("#story").textContent.includes("4001")`)

	for _, kind := range []string{"accounts", "recharge-cards", "corp-accounts"} {
		c.until(`[...document.querySelectorAll("#kinds button")].find((b) => b.textContent === "` + kind + `").click() === undefined`)
	}
	c.until(`document.querySelector("#books").textContent.includes("2150010186")`)
	c.click(`#newcard`)
	c.until(`document.querySelectorAll("#cards tbody tr").length === 8`)
	c.click(`#reset`)
	c.until(`document.querySelectorAll("#cards tbody tr").length === 7 && document.querySelector("#cards tbody tr td:nth-child(3)").textContent === "0"`)
	c.until(`document.querySelector("#error").textContent === ""`)

	html, err := chromedp.Run(tab, chromedp.OuterHTML(`html`))
	if err != nil {
		t.Fatal(err)
	}
	for domain, key := range sandboxKeys {
		if strings.Contains(html, key) {
			t.Errorf("the key of %s is in the page", domain)
		}
	}
	// The card that was torn from the reader is the one thing that fails.
	if all := w.Complaints(); len(all) != 1 || !strings.Contains(all[0], "409") {
		t.Errorf("the page complained: %q", all)
	}
	p.stop()
	sound(t, sandboxFile(t, dir))
}

// A console is a tab with the console in it.
type console struct {
	t   *testing.T
	tab context.Context
}

func (c *console) do(steps ...chromedp.Action[chromedp.Void]) {
	c.t.Helper()
	if err := chromedp.Do(c.tab, steps...); err != nil {
		c.t.Fatal(err)
	}
}

// click clicks on what a selector finds, wherever the page has moved it by now.
func (c *console) click(selector string) {
	c.t.Helper()
	c.until(`document.querySelector("` + selector + `").click() === undefined`)
}

// until waits until an expression holds.
func (c *console) until(expression string) {
	c.t.Helper()
	_, err := chromedp.Run(c.tab, chromedp.Poll[bool](expression))
	if err != nil {
		steps, err2 := chromedp.Run(c.tab, chromedp.Text(`body`))
		c.t.Fatalf("%s: %v; the page says %s", expression, errors.Join(err, err2), steps)
	}
}
