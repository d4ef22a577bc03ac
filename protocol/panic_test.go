package protocol_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pbochsm/mac"
)

func TestPanicIsAnsweredAndLoggedWithoutTheRequest(t *testing.T) {
	onBothPaths(t, testPanicIsAnsweredAndLoggedWithoutTheRequest)
}

func testPanicIsAnsweredAndLoggedWithoutTheRequest(t *testing.T, newServer maker) {
	var log logged
	s := newServer(t)
	s.Logger = log.logger()
	s.HSM = hsmFunc(func(op *mac.Op) { panic(fmt.Sprintf("amount %x", mac.Amount.Bytes(op))) })
	addr := start(t, s)
	c := dial(t, addr)
	_, _ = c.Write(append(frame("0001", publishedLoad, "\x19tail"), frame("0002", "B20002hi")...))
	for _, want := range []string{"0001WB41\x19tail", "0002B341"} {
		if got := readFrame(t, c); got != want {
			t.Errorf("reply %q, want %q", got, want)
		}
	}
	mustClose(t, c)
	if n := s.Stats().Panics; n != 1 {
		t.Errorf("%d panics counted", n)
	}
	if got := ask(t, dial(t, addr), "HEAD", "B20002hi"); got != "HEADB300hi" {
		t.Errorf("another connection: %q", got)
	}
	if text := log.String(); !strings.Contains(text, "panic in a request") || strings.Contains(text, "1000") {
		t.Errorf("log: %s", text)
	}
}

type panicReader struct{}

func (panicReader) Read([]byte) (int, error) { panic("no entropy") }

func TestPanicOfACommonCommand(t *testing.T) { onBothPaths(t, testPanicOfACommonCommand) }

func testPanicOfACommonCommand(t *testing.T, newServer maker) {
	s := newServer(t)
	s.Rand = panicReader{}
	c := dial(t, start(t, s))
	_, _ = c.Write(append(frame("0001", "B20002hi"), frame("0002", "N0008")...))
	for _, want := range []string{"0001B341", "0002N141"} {
		if got := readFrame(t, c); got != want {
			t.Errorf("reply %q, want %q", got, want)
		}
	}
	mustClose(t, c)
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("no entropy") }

func TestBrokenRandomSource(t *testing.T) { onBothPaths(t, testBrokenRandomSource) }

func testBrokenRandomSource(t *testing.T, newServer maker) {
	s := newServer(t)
	s.Rand = brokenReader{}
	c := dial(t, start(t, s))
	if got := ask(t, c, "HEAD", "N0008"); got != "HEADN141" {
		t.Errorf("reply %q, want an internal error", got)
	}
	if got := ask(t, c, "HEAD", "B20002hi"); got != "HEADB300hi" {
		t.Errorf("the connection after it: %q", got)
	}
}

// An error of the whole batch is the answer to each operation, and to nothing
// else.
func TestHSMThatAnswersNothing(t *testing.T) { onBothPaths(t, testHSMThatAnswersNothing) }

func testHSMThatAnswersNothing(t *testing.T, newServer maker) {
	s := newServer(t)
	s.HSM = downHSM{}
	c := dial(t, start(t, s))
	_, _ = c.Write(append(frame("0001", publishedLoad), frame("0002", "B20002hi")...))
	for _, want := range []string{"0001WB20", "0002B300hi"} {
		if got := readFrame(t, c); got != want {
			t.Errorf("reply %q, want %q", got, want)
		}
	}
}

type downHSM struct{}

func (downHSM) Do(context.Context, []mac.Op) error {
	return fmt.Errorf("pkcs11: C_Encrypt: CKR_DEVICE_REMOVED: %w", mac.ErrUnavailable)
}
