package sim

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"

	"pbochsm/mac"
	"pbochsm/mac/cardtest"
)

// cardView is a card as /_sim/cards shows it, in the words of the API.
type cardView struct {
	CardNo      string `json:"CardNo"`
	ASN         string `json:"ASN"`
	CardType    string `json:"CardType"`
	Balance     string `json:"Balance"` // fen
	CardTradeNo string `json:"CardTradeNo"`
	Offline     string `json:"OfflineTradeNo"`
}

func view(c *Card) cardView {
	online, offline := c.Counters(c.Kind.Purse)
	return cardView{
		CardNo: c.No, ASN: c.ASN, CardType: c.Kind.Type, Balance: fmt.Sprint(c.Balance()),
		CardTradeNo: fmt.Sprintf("%04X", uint16(online)), Offline: fmt.Sprintf("%04X", uint16(offline)),
	}
}

// An Init is what the card answered to INITIALIZE, as fields of a request.
type Init struct {
	CardNo      string `json:"CardNo"`
	ASN         string `json:"ASN"`
	CardType    string `json:"CardType"`
	TermNo      string `json:"TermNo"`
	TradeType   string `json:"TradeType"`
	RndNumber2  string `json:"RndNumber2"`
	CardTradeNo string `json:"CardTradeNo"`
	CardOldBal  string `json:"CardOldBal"`
	TradeMoney  string `json:"TradeMoney"`
	KeyVersion  string `json:"KeyVersion"`
	ArithIndex  string `json:"ArithIndex"`
	Mac1        string `json:"Mac1"`
}

// Initialize begins a load, or an unload, at a terminal.
func (c *Card) Initialize(amount mac.Fen, terminal mac.TerminalID, unload bool) (Init, error) {
	begin, trade := c.InitLoad, "01"
	if unload {
		begin, trade = c.InitUnload, "03"
	}
	a, err := begin(c.Kind.Purse, amount, terminal)
	if err != nil {
		return Init{}, err
	}
	return Init{
		CardNo: c.No, ASN: c.ASN, CardType: c.Kind.Type, TermNo: fmt.Sprintf("%X", terminal), TradeType: trade,
		RndNumber2: fmt.Sprintf("%X", a.Random), CardTradeNo: fmt.Sprintf("%04X", uint16(a.Counter)),
		CardOldBal: fmt.Sprint(uint32(a.Balance)), TradeMoney: fmt.Sprint(uint32(amount)),
		KeyVersion: fmt.Sprintf("%02X", a.Version), ArithIndex: fmt.Sprintf("%02X", a.Algorithm), Mac1: fmt.Sprintf("%X", a.MAC1),
	}, nil
}

// cardRequest is the body of every request about a card; each uses its part.
type cardRequest struct {
	CardNo, ASN, CardType string // of a new card
	TradeMoney            string // fen
	TermNo                string
	HostDate, HostTime    string
	Mac2                  string
	Tear                  string // before or after: where the next command is torn
	TradeType             string // of a proof
	CardTradeNo           string
}

// cardActions are what POST /_sim/cards/{no}/{action} can be.
var cardActions = map[string]func(*World, *Card, *cardRequest) (any, error){
	"init-load":   func(_ *World, c *Card, r *cardRequest) (any, error) { return r.initialize(c, false) },
	"init-unload": func(_ *World, c *Card, r *cardRequest) (any, error) { return r.initialize(c, true) },
	"credit":      func(_ *World, c *Card, r *cardRequest) (any, error) { return r.finish(c, false) },
	"debit":       func(_ *World, c *Card, r *cardRequest) (any, error) { return r.finish(c, true) },
	"spend":       spend,
	"tear":        tear,
	"prove":       prove,
}

func (r *cardRequest) initialize(c *Card, unload bool) (any, error) {
	amount, err := parseFen(r.TradeMoney)
	if err != nil {
		return nil, err
	}
	var terminal mac.TerminalID
	if err := unhex(terminal[:], r.TermNo, "TermNo"); err != nil {
		return nil, err
	}
	return c.Initialize(amount, terminal, unload)
}

// finish gives the card MAC2, with the date and time that are in it.
func (r *cardRequest) finish(c *Card, unload bool) (any, error) {
	var date mac.BCDDate
	var clock mac.BCDTime
	var mac2 mac.MAC
	for _, f := range []struct {
		to         []byte
		text, name string
	}{{date[:], r.HostDate, "HostDate"}, {clock[:], r.HostTime, "HostTime"}, {mac2[:], r.Mac2, "Mac2"}} {
		if err := unhex(f.to, f.text, f.name); err != nil {
			return nil, err
		}
	}
	if unload {
		mac3, err := c.Debit(date, clock, mac2)
		return map[string]string{"Mac3": fmt.Sprintf("%X", mac3), "Balance": fmt.Sprint(c.Balance())}, err
	}
	tac, err := c.Credit(date, clock, mac2)
	return map[string]string{"CardTac": fmt.Sprintf("%X", tac), "Balance": fmt.Sprint(c.Balance())}, err
}

// spend buys something, without the host's knowledge.
func spend(w *World, c *Card, r *cardRequest) (any, error) {
	amount, err := parseFen(r.TradeMoney)
	if err != nil {
		return nil, err
	}
	date, clock := w.hostTime()
	if _, err := c.Spend(c.Kind.Purse, c.till, amount, date, clock); err != nil {
		return nil, err
	}
	return view(c), nil
}

func tear(_ *World, c *Card, r *cardRequest) (any, error) {
	t, ok := map[string]cardtest.Tear{"": cardtest.TearBefore, "before": cardtest.TearBefore, "after": cardtest.TearAfter}[r.Tear]
	if !ok {
		return nil, fmt.Errorf("%w: Tear is before or after", ErrRequest)
	}
	c.TearNext(t)
	return view(c), nil
}

// prove asks the card for the TAC, or MAC3, of a transaction whose answer was
// lost.
func prove(_ *World, c *Card, r *cardRequest) (any, error) {
	var counter [2]byte
	if err := unhex(counter[:], r.CardTradeNo, "CardTradeNo"); err != nil {
		return nil, err
	}
	kind := mac.TypeUnload
	if r.TradeType != "03" {
		kind = map[cardtest.Purse]mac.TransactionType{cardtest.ED: mac.TypeLoadED, cardtest.EP: mac.TypeLoadEP}[c.Kind.Purse]
	}
	p, err := c.Prove(kind, uint16(counter[0])<<8|uint16(counter[1]))
	if err != nil {
		return nil, err
	}
	if kind == mac.TypeUnload {
		return map[string]string{"Mac3": fmt.Sprintf("%X", p.MAC)}, nil
	}
	return map[string]string{"CardTac": fmt.Sprintf("%X", p.TAC)}, nil
}

func (w *World) listCards(*http.Request) (any, error) {
	all := []cardView{}
	for _, c := range w.deck.Cards() {
		all = append(all, view(c))
	}
	return all, nil
}

func (w *World) newCard(r *http.Request) (any, error) {
	var q cardRequest
	if err := decode(r, &q); err != nil {
		return nil, err
	}
	c, err := w.deck.Add(q.CardNo, q.ASN, q.CardType)
	if err != nil {
		return nil, err
	}
	w.hub.publish("card", "", "%s: new card of type %s", c.No, c.Kind.Type)
	return view(c), w.save()
}

func (w *World) showCard(r *http.Request) (any, error) {
	c, err := w.deck.Card(r.PathValue("no"))
	if err != nil {
		return nil, err
	}
	return view(c), nil
}

func (w *World) useCard(r *http.Request) (any, error) {
	c, err := w.deck.Card(r.PathValue("no"))
	if err != nil {
		return nil, err
	}
	action, ok := cardActions[r.PathValue("action")]
	if !ok {
		return nil, fmt.Errorf("%w: a card has no action %q", ErrNoCard, r.PathValue("action"))
	}
	var q cardRequest
	if err := decode(r, &q); err != nil {
		return nil, err
	}
	answer, err := action(w, c, &q)
	if err != nil {
		w.hub.publish("card", "", "%s: %s: %v", c.No, r.PathValue("action"), err)
		return nil, errSave(err, w.save())
	}
	w.hub.publish("card", "", "%s: %s, balance %d, counter %04X", c.No, r.PathValue("action"), c.Balance(), uint16(c.Counter()))
	return answer, w.save()
}

func errSave(err, save error) error {
	if save != nil {
		return save
	}
	return err
}

func unhex(to []byte, text, name string) error {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(to) {
		return fmt.Errorf("%w: %s has not %d hexadecimal digits", ErrRequest, name, 2*len(to))
	}
	copy(to, b)
	return nil
}

// parseFen reads decimal fen as the API has them.
func parseFen(text string) (mac.Fen, error) {
	if text == "" || len(text) > 10 || strings.Trim(text, "0123456789") != "" {
		return 0, fmt.Errorf("%w: TradeMoney is not decimal fen", ErrRequest)
	}
	var fen uint64
	for _, c := range []byte(text) {
		fen = 10*fen + uint64(c-'0')
	}
	if fen > uint64(cardtest.MaxBalance) {
		return 0, fmt.Errorf("%w: TradeMoney is more than a purse can hold", ErrRequest)
	}
	return mac.Fen(fen), nil
}
