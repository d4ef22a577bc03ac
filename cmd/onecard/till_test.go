package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"pbochsm/cmd/onecard/internal/sim"
	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/vectors"
)

// A till is a client that costs next to nothing, because it shares the cores
// with what it measures: its requests are written down before the clock runs,
// each with the body that must come back.
type till struct {
	conn  net.Conn
	sales []sale
	in    []byte
}

// A sale is a load: what is sent, and the body of the answer.
type sale struct{ request, answer []byte }

// newReferee is the readable arithmetic, with the keys that the daemon has.
func newReferee(b *testing.B) mac.HSM {
	b.Helper()
	snapshot, err := vectors.Snapshot()
	if err != nil {
		b.Fatal(err)
	}
	return mac.NewEngine(keystore.NewLive(snapshot), reference.Backend{})
}

// newTill prepares so many sales of one card, with the MAC2 that the referee
// gives.
func newTill(b *testing.B, addr string, n, sales int, referee mac.HSM) *till {
	b.Helper()
	from := newReader(b, addr, n)
	t := &till{in: make([]byte, 4096)}
	for range sales {
		i, body, err := from.request()
		if err != nil {
			b.Fatal(err)
		}
		load, err := loadOf(i, from.at)
		if err != nil {
			b.Fatal(err)
		}
		mac2, err := mac.AuthorizeLoad(b.Context(), referee, load)
		if err != nil {
			b.Fatal(err)
		}
		t.sales = append(t.sales, sale{
			request: []byte(from.head("/prepay/accttranssupply", body) + body),
			answer:  fmt.Appendf(nil, `{"ErrorCode":"0000","ErrorMsg":"success","Mac2":"%X"}`, mac2),
		})
		if err := from.count(); err != nil {
			b.Fatal(err)
		}
	}
	return t
}

// dial connects the till. A server does not wait long for the first request.
func (t *till) dial(b *testing.B, addr string) {
	b.Helper()
	var err error
	if t.conn, err = net.Dial("tcp", addr); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = t.conn.Close() })
}

// loadOf is what the security module is to be asked about a card of the sandbox.
func loadOf(i sim.Init, at time.Time) (mac.Load, error) {
	purse := scheme(&sandboxConfig("", "").Schemes[0])
	l := mac.Load{Amount: 1, Type: purse.LoadType}
	var asn mac.Factor
	var counter [2]byte
	l.Key.Set = purse.Set
	var errs []error
	for _, f := range []struct {
		to   []byte
		text string
	}{
		{asn[:], i.ASN}, {l.Random[:], i.RndNumber2}, {counter[:], i.CardTradeNo}, {l.Terminal[:], i.TermNo}, {l.MAC1[:], i.Mac1},
		{l.Date[:], at.Format("20060102")}, {l.Time[:], at.Format("150405")},
	} {
		_, err := hex.Decode(f.to, []byte(f.text))
		errs = append(errs, err)
	}
	var key [2]byte
	_, err := hex.Decode(key[:], []byte(i.KeyVersion+i.ArithIndex))
	l.Key.Version, l.Key.Algorithm = key[0], key[1]
	l.Counter = mac.OnlineCount(counter[0])<<8 | mac.OnlineCount(counter[1])
	l.Factors = append(purse.Factors, asn)
	return l, errors.Join(append(errs, err)...)
}

// sell makes all sales, one after the other.
func (t *till) sell() error {
	for _, s := range t.sales {
		if _, err := t.conn.Write(s.request); err != nil {
			return err
		}
		if err := t.receive(s.answer); err != nil {
			return err
		}
	}
	return nil
}

// receive reads an answer whose body must be want.
func (t *till) receive(want []byte) error {
	for n := 0; ; {
		more, err := t.conn.Read(t.in[n:])
		n += more
		if head, body, whole := bytes.Cut(t.in[:n], []byte("\r\n\r\n")); whole && len(body) >= len(want) {
			if !bytes.HasPrefix(head, []byte("HTTP/1.1 200 ")) || !bytes.Equal(body, want) {
				return fmt.Errorf("the answer is\n%s\nand should be\n%s", t.in[:n], want)
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("the answer ends as %q: %w", t.in[:n], err)
		}
	}
}
