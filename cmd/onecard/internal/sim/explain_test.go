package sim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"pbochsm/cmd/onecard/internal/sim"
	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/cardtest"
	"pbochsm/mac/explain"
	"pbochsm/mac/reference"
)

const cardSet = 0xA1

// explainer holds the keys of the cards, as a security module does.
func explainer(t *testing.T, issuer cardtest.Issuer) explain.Explainer {
	t.Helper()
	var entries []keystore.Entry
	for _, k := range []struct {
		usage keystore.Usage
		key   reference.Key
	}{{keystore.UsageLoad, issuer.Load}, {keystore.UsageUnload, issuer.Unload}, {keystore.UsageTAC, issuer.TAC}} {
		entries = append(entries, keystore.Entry{
			Key: keystore.Key{
				Ref: keystore.Ref{Set: cardSet, Usage: k.usage, Version: 1}, Index: uint16(len(entries) + 1),
				Cipher: keystore.Cipher3DES, Levels: 1, State: keystore.StateActive,
			},
			Secret: keystore.Secret(k.key),
		})
	}
	s, err := keystore.NewSnapshot(keystore.ModeTest, 1, keystore.KCV{}, entries)
	if err != nil {
		t.Fatal(err)
	}
	live := keystore.NewLive(s)
	return explain.Explainer{Keys: live, HSM: mac.NewEngine(live, reference.Backend{})}
}

// begunLoad is a card of the sandbox that has answered INITIALIZE FOR LOAD, and
// the load that a terminal asks for then.
func begunLoad(t *testing.T, w *sim.World) (*sim.Card, mac.Load) {
	t.Helper()
	card, err := w.Deck().Card("2150010186000001")
	if err != nil {
		t.Fatal(err)
	}
	terminal := mac.TerminalID{0x11, 0x22, 0x33, 0x44, 0x55, 0x66}
	a, err := card.InitLoad(cardtest.EP, 5000, terminal)
	if err != nil {
		t.Fatal(err)
	}
	load := mac.Load{
		Card:   mac.Card{Key: mac.KeyID{Set: cardSet, Version: 1}, Factors: []mac.Factor{card.Card.ASN()}},
		Random: a.Random, Counter: a.Counter, Balance: a.Balance, Amount: 5000, Type: mac.TypeLoadEP, Terminal: terminal,
		Date: mac.BCDDate{0x20, 0x26, 0x11, 0x23}, Time: mac.BCDTime{0x09, 0x15, 0x00}, MAC1: a.MAC1,
	}
	return card, load
}

// What the sandbox tells of a load is what package explain tells of it: right,
// and with the mistakes that a card or a client may make.
func TestExplainLoad(t *testing.T) {
	w, url := open(t, t.TempDir(), 1, nil)
	e := explainer(t, cardtest.Issuer{Load: reference.Key{1}, Unload: reference.Key{2}})
	card, load := begunLoad(t, w)
	for _, c := range []struct {
		name, mistake string
		alter         func(*mac.Load)
	}{
		{"right", "", func(*mac.Load) {}},
		{"a counter from the log", "counter", func(l *mac.Load) { l.Counter++ }},
		{"an amount of which the other is the BCD", "bcd", func(l *mac.Load) { l.Amount = 0x5000 }},
	} {
		l := load
		c.alter(&l)
		body := fmt.Sprintf(`{"OrigionDomain":"APPM","CardType":"01","ASN":"0000%X","RndNumber2":"%X","CardTradeNo":"%04X","CardOldBal":"%d","TradeMoney":"%d",`+
			`"TermNo":"%X","HostDate":"%X","HostTime":"%X","MAC1":"%X","Token":"00"}`,
			card.Card.ASN(), l.Random, uint16(l.Counter), l.Balance, l.Amount, l.Terminal, l.Date, l.Time, l.MAC1)
		_, _, header, err := send(t, http.MethodPost, url+"/tuxedo/mac1authal", body, sim.HeaderExplain, "1")
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			MAC1  map[string]any `json:"mac1"`
			Notes []string       `json:"notes"`
		}
		get(t, http.MethodGet, url+header.Get(sim.HeaderExplain), "", &got)
		x, err := e.Explain(t.Context(), l.Op(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := asJSON(t, x); !reflect.DeepEqual(got.MAC1, want) {
			t.Errorf("%s: told %v %v; want %v", c.name, got.MAC1, got.Notes, want)
		}
		var named []string
		for _, m := range x.Mistakes {
			named = append(named, m.Mistake)
		}
		if strings.Join(named, " ") != c.mistake {
			t.Errorf("%s: named %v, want %q", c.name, named, c.mistake)
		}
	}
}

// What confirms a load or an unload is explained over what the request said that
// wrote the card.
func TestExplainReceipts(t *testing.T) {
	w, url := open(t, t.TempDir(), 1, nil)
	e := explainer(t, cardtest.Issuer{Load: reference.Key{1}, Unload: reference.Key{2}, TAC: reference.Key{4}})
	card, load := begunLoad(t, w)
	mac2, err := mac.AuthorizeLoad(t.Context(), e.HSM, load)
	if err != nil {
		t.Fatal(err)
	}
	tac, err := card.Credit(load.Date, load.Time, mac2)
	if err != nil {
		t.Fatal(err)
	}
	say := func(path, body string) (told sim.Explanation) {
		t.Helper()
		_, _, header, err := send(t, http.MethodPost, url+path, body, sim.HeaderExplain, "1")
		if err != nil {
			t.Fatal(err)
		}
		get(t, http.MethodGet, url+header.Get(sim.HeaderExplain), "", &told)
		return told
	}
	confirm := func(path, key, value string) sim.Explanation {
		t.Helper()
		return say(path, fmt.Sprintf(`{"OrigionDomain":"APPM","CarNo":"2150010186000001","CardTradeNo":"%04X",%q:%q,"Token":"00"}`, uint16(load.Counter), key, value))
	}
	if x := confirm("/ext/tac", "CardTac", fmt.Sprintf("%X", tac)); x.Receipt != nil || len(x.Notes) != 1 {
		t.Errorf("nothing was written, and the TAC is told as %+v, %v", x.Receipt, x.Notes)
	}
	say("/tuxedo/mac1authal", fmt.Sprintf(`{"OrigionDomain":"APPM","CarNo":"2150010186000001","CardType":"01","ASN":"0000%X","RndNumber2":"%X","CardTradeNo":"%04X","CardOldBal":"%d",`+
		`"TradeMoney":"5000","TermNo":"%X","HostDate":"%X","HostTime":"%X","MAC1":"%X","Token":"00"}`,
		card.Card.ASN(), load.Random, uint16(load.Counter), load.Balance, load.Terminal, load.Date, load.Time, load.MAC1))
	if x := confirm("/ext/tac", "CardTac", fmt.Sprintf("%X", tac)); x.Receipt == nil || x.Receipt.Verdict != explain.Holds || x.Receipt.Operation != "load-tac" {
		t.Errorf("the TAC is told as %+v, %v", x.Receipt, x.Notes)
	}
	if x := confirm("/ext/tac", "CardTac", "DEADBEEF"); x.Receipt == nil || x.Receipt.Verdict != explain.Mismatch {
		t.Errorf("another TAC is told as %+v, %v", x.Receipt, x.Notes)
	}
	if x := confirm("/ext/mac3", "Mac3", "DEADBEEF"); x.Receipt != nil || len(x.Notes) != 1 {
		t.Errorf("a load has no MAC3, which is told as %+v, %v", x.Receipt, x.Notes)
	}
}

func asJSON(t *testing.T, x *explain.Explanation) (m map[string]any) {
	t.Helper()
	text, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}
