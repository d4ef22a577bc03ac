package cardtest_test

import (
	"context"
	"errors"
	"testing"

	"pbochsm/mac"
	"pbochsm/mac/cardtest"
)

// authorize is one INITIALIZE and the module's MAC2 to it.
func authorize(t *testing.T, hsm mac.HSM, id mac.Card, c *cardtest.Card, amount mac.Fen) (cardtest.Answer, mac.MAC) {
	t.Helper()
	a := must[cardtest.Answer](t)(c.InitLoad(cardtest.EP, amount, terminal))
	return a, must[mac.MAC](t)(mac.AuthorizeLoad(context.Background(), hsm, load(id, a, amount, mac.TypeLoadEP)))
}

func TestTorn(t *testing.T) {
	hsm, id := module(t, issuer(t))
	for _, c := range []struct {
		name     string
		tear     cardtest.Tear
		credited bool
	}{
		{"before the credit", cardtest.TearBefore, false},
		{"after the credit", cardtest.TearAfter, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			card := newCard(issuer(t), 3)
			first, mac2 := authorize(t, hsm, id, card, 5000)
			card.TearNext(c.tear)
			if _, err := card.Credit(date, clock, mac2); !errors.Is(err, cardtest.ErrTorn) {
				t.Fatalf("torn: %v", err)
			}
			online, _ := card.Counters(cardtest.EP)
			if credited := card.Balance(cardtest.EP) == 5000; credited != c.credited || (online == 1) != c.credited {
				t.Fatalf("balance %d, counter %d", card.Balance(cardtest.EP), online)
			}
			if _, err := card.Credit(date, clock, mac2); !errors.Is(err, cardtest.StatusState) {
				t.Errorf("the old MAC2 without INITIALIZE: %v", err)
			}
			proof, err := card.Prove(mac.TypeLoadEP, uint16(first.Counter))
			if c.credited {
				if err != nil || proof.TAC == (mac.TransactionMAC{}) || proof.Amount != 5000 || proof.MAC != mac2 {
					t.Errorf("the proof of the credit: %+v, %v", proof, err)
				}
				return
			}
			if !errors.Is(err, cardtest.StatusNoProof) {
				t.Errorf("the proof of no credit: %v", err)
			}
			again, _ := authorize(t, hsm, id, card, 5000)
			if again.Counter != first.Counter || again.Random == first.Random {
				t.Errorf("the second INITIALIZE: counter %d, random %X", again.Counter, again.Random)
			}
			if _, err := card.Credit(date, clock, mac2); !errors.Is(err, cardtest.StatusMAC) {
				t.Errorf("the old MAC2 in a new session: %v", err)
			}
			_, fresh := authorize(t, hsm, id, card, 5000)
			if _, err := card.Credit(date, clock, fresh); err != nil || card.Balance(cardtest.EP) != 5000 {
				t.Errorf("the rewrite: %v, balance %d", err, card.Balance(cardtest.EP))
			}
		})
	}
}

func TestTornInitialize(t *testing.T) {
	for _, tear := range []cardtest.Tear{cardtest.TearBefore, cardtest.TearAfter} {
		card := newCard(issuer(t), 4)
		card.TearNext(tear)
		if a, err := card.InitLoad(cardtest.EP, 1, terminal); !errors.Is(err, cardtest.ErrTorn) || a != (cardtest.Answer{}) {
			t.Errorf("torn INITIALIZE: %+v, %v", a, err)
		}
		if _, err := card.InitLoad(cardtest.EP, 1, terminal); err != nil {
			t.Errorf("the next command: %v", err)
		}
		card.Reset()
		if _, err := card.Credit(date, clock, mac.MAC{}); !errors.Is(err, cardtest.StatusState) {
			t.Errorf("after a reset: %v", err)
		}
	}
}

func TestRefusals(t *testing.T) {
	hsm, id := module(t, issuer(t))
	for _, c := range []struct {
		name string
		do   func(*cardtest.Card) error
		want cardtest.Status
	}{
		{"credit without INITIALIZE", func(c *cardtest.Card) error { _, err := c.Credit(date, clock, mac.MAC{}); return err }, cardtest.StatusState},
		{"debit after INITIALIZE FOR LOAD", func(c *cardtest.Card) error {
			_, mac2 := authorize(t, hsm, id, c, 1)
			_, err := c.Debit(date, clock, mac2)
			return err
		}, cardtest.StatusState},
		{"one bit of MAC2", func(c *cardtest.Card) error {
			_, mac2 := authorize(t, hsm, id, c, 1)
			mac2[3] ^= 1
			_, err := c.Credit(date, clock, mac2)
			return err
		}, cardtest.StatusMAC},
		{"another time than in MAC2", func(c *cardtest.Card) error {
			_, mac2 := authorize(t, hsm, id, c, 1)
			_, err := c.Credit(date, mac.BCDTime{0x09, 0x15, 0x02}, mac2)
			return err
		}, cardtest.StatusMAC},
		{"the same MAC2 twice", func(c *cardtest.Card) error {
			_, mac2 := authorize(t, hsm, id, c, 1)
			if _, err := c.Credit(date, clock, mac2); err != nil {
				return err
			}
			_, err := c.Credit(date, clock, mac2)
			return err
		}, cardtest.StatusState},
		{"unload of the EP", func(c *cardtest.Card) error { _, err := c.InitUnload(cardtest.EP, 1, terminal); return err }, cardtest.StatusConditions},
		{"unload of more than there is", func(c *cardtest.Card) error { _, err := c.InitUnload(cardtest.ED, 8, terminal); return err }, cardtest.StatusFunds},
		{"load beyond the maximum", func(c *cardtest.Card) error {
			_, err := c.InitLoad(cardtest.ED, cardtest.MaxBalance-6, terminal)
			return err
		}, cardtest.StatusFunds},
		{"counter at its maximum", func(c *cardtest.Card) error {
			if err := c.Restore(cardtest.State{EP: cardtest.Store{Online: 0xFFFF}}); err != nil {
				return err
			}
			_, err := c.InitLoad(cardtest.EP, 1, terminal)
			return err
		}, cardtest.StatusCounter},
	} {
		t.Run(c.name, func(t *testing.T) {
			card := newCard(issuer(t), 5)
			if err := card.Restore(cardtest.State{ED: cardtest.Store{Balance: 7}}); err != nil {
				t.Fatal(err)
			}
			if err := c.do(card); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
	if err := newCard(issuer(t), 5).Restore(cardtest.State{EP: cardtest.Store{Balance: cardtest.MaxBalance + 1}}); err == nil {
		t.Error("a purse was restored with more than it can hold")
	}
}

// The same seed is the same run, byte for byte; another one is not.
func TestSeed(t *testing.T) {
	run := func(seed byte) (all []cardtest.Answer) {
		c := newCard(issuer(t), seed)
		for range 4 {
			all = append(all, must[cardtest.Answer](t)(c.InitLoad(cardtest.EP, 5000, terminal)))
		}
		return all
	}
	a, b, other := run(6), run(6), run(7)
	for i := range a {
		if a[i] != b[i] || a[i] == other[i] {
			t.Errorf("answer %d: %+v, again %+v, other seed %+v", i, a[i], b[i], other[i])
		}
	}
}
