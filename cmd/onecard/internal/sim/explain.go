package sim

import (
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"pbochsm/cmd/onecard/internal/api/contract"
	"pbochsm/cmd/onecard/internal/api/flat"
	"pbochsm/cmd/onecard/internal/api/token"
	"pbochsm/mac"
	"pbochsm/mac/cardtest"
	"pbochsm/mac/reference"
)

// An Explanation is one request with every value on the way to its answer.
// Keys of domains stay hidden; the card keys of a sandbox are published.
type Explanation struct {
	ID     int64             `json:"id"`
	Path   string            `json:"path"`
	Fields map[string]string `json:"fields"`
	Answer string            `json:"answer"`
	Token  *TokenStory       `json:"token,omitempty"`
	MAC1   *MACStory         `json:"mac1,omitempty"`
	Notes  []string          `json:"notes,omitempty"`
}

// A TokenStory is how the token is made, and which reading the sender's fits.
type TokenStory struct {
	Signed  string `json:"signed"` // the string that is hashed, its key hidden
	Sent    string `json:"sent"`
	Matches string `json:"matches"` // pair, verbatim, all, or none
}

// A MACStory is how MAC1 and MAC2 come about, and which reading the card's
// MAC1 fits.
type MACStory struct {
	CardKey    string   `json:"cardKey"` // diversified from the published test key
	Session    string   `json:"sessionData"`
	SessionKey string   `json:"sessionKey"`
	Input      string   `json:"mac1Input"` // padded
	Chain      []string `json:"mac1Chain"`
	Sent       string   `json:"mac1Sent"`
	Matches    string   `json:"matches"` // as configured, a variant, or none
	Input2     string   `json:"mac2Input"`
	MAC2       string   `json:"mac2,omitempty"` // only where MAC1 matched
}

// explain tells the story of an exchange.
func (w *World) explain(r *http.Request) (any, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%w: an exchange has a number", ErrRequest)
	}
	e, err := w.book.find(id)
	if err != nil {
		return nil, err
	}
	x := &Explanation{ID: e.ID, Path: e.Path, Answer: string(e.Answer), Fields: map[string]string{}}
	object, err := flat.Parse(e.Body, contract.Aliases())
	if err != nil {
		x.Notes = append(x.Notes, "the body was refused: "+err.Error())
		return x, nil
	}
	for _, m := range object {
		x.Fields[m.Key] = visible(m)
	}
	x.Token = w.tokenStory(object)
	if _, present := object.Value("MAC1"); present {
		if x.MAC1, err = w.macStory(object); err != nil {
			x.Notes = append(x.Notes, err.Error())
		}
	}
	return x, nil
}

// visible is a value as a page may show it: passwords are not.
func visible(m flat.Member) string {
	if f, known := contract.Lookup(m.Key); known && f.Secret && m.Key != token.Name {
		return "(hidden)"
	}
	return m.Value
}

// tokenStory tries every reading of the token.
func (w *World) tokenStory(object flat.Object) *TokenStory {
	sent, _ := object.Value(token.Name)
	domain, _ := object.Value("ORIGIONDOMAIN")
	shown := slices.Clone(object)
	for i := range shown {
		if m := &shown[i]; visible(*m) != m.Value {
			m.Value = "(hidden)"
		}
	}
	s := &TokenStory{Signed: token.String(shown) + "&CHANNELKEY=(hidden)", Sent: sent, Matches: "none"}
	key, known := w.keys[strings.ToUpper(domain)]
	if !known {
		s.Matches = "none: no such domain"
		return s
	}
	for _, p := range []struct {
		profile token.Profile
		name    string
	}{{token.Pair, "pair"}, {token.Verbatim, "verbatim: values as they were sent"}, {token.All, "all: the key in upper case as well"}} {
		made, err := token.Make(p.profile, token.UTF8, object, key)
		if err == nil && subtle.ConstantTimeCompare([]byte(made), []byte(strings.ToUpper(sent))) == 1 {
			s.Matches = p.name
			break
		}
	}
	return s
}

// load is the card's part of a request, as bytes.
type load struct {
	random, counter, balance, amount, terminal, date, clock, mac1, asn []byte
	kind                                                               CardKind
	unload                                                             bool
}

// macStory computes what the card must have computed, and looks for the
// variant that it did compute.
func (w *World) macStory(object flat.Object) (*MACStory, error) {
	l, err := w.loadOf(object)
	if err != nil {
		return nil, err
	}
	kind := typeOf(l.kind, l.unload)
	s, full := l.compute(l.asn, kind, l.unload)
	s.Sent = fmt.Sprintf("%X", l.mac1)
	if full == s.Sent {
		s.Matches = "as configured"
		return s, nil
	}
	s.MAC2, s.Matches = "", "none: another card, another key, or a field that was changed on its way"
	for _, v := range l.variants() {
		if _, got := l.compute(v.asn, v.kind, v.unload); got == s.Sent {
			s.Matches = "not as configured, but " + v.name
			break
		}
	}
	return s, nil
}

// A variant is a reading of the request that the card may have had.
type variant struct {
	name   string
	asn    []byte
	kind   byte
	unload bool
}

func (l *load) variants() []variant {
	turned := slices.Clone(l.asn)
	slices.Reverse(turned)
	return []variant{
		{"with type 01, of the deposit (ED)", l.asn, 0x01, false},
		{"with type 02, of the purse (EP)", l.asn, 0x02, false},
		{"with type 03, of an unload", l.asn, 0x03, true},
		{"with the bytes of the ASN the other way round", turned, typeOf(l.kind, l.unload), l.unload},
	}
}

func typeOf(k CardKind, unload bool) byte {
	switch {
	case unload:
		return byte(mac.TypeUnload)
	case k.Purse == cardtest.ED:
		return byte(mac.TypeLoadED)
	}
	return byte(mac.TypeLoadEP)
}

// compute gives every intermediate value and MAC1 as the card makes it.
func (l *load) compute(asn []byte, kind byte, unload bool) (*MACStory, string) {
	key := l.kind.Issuer.Load
	if unload {
		key = l.kind.Issuer.Unload
	}
	for _, f := range append(slices.Clone(l.kind.Factors), mac.Factor(asn)) {
		key = key.Diversify(f)
	}
	session := slices.Concat(l.random, l.counter, []byte{0x80, 0})
	sessionKey := key.SessionKey([8]byte(session))
	input := reference.Pad(slices.Concat(l.balance, l.amount, []byte{kind}, l.terminal))
	input2 := reference.Pad(slices.Concat(l.amount, []byte{kind}, l.terminal, l.date, l.clock))
	chain, chain2 := reference.ChainBlocks(sessionKey, input), reference.ChainBlocks(sessionKey, input2)
	s := &MACStory{
		CardKey: fmt.Sprintf("%X", key), Session: fmt.Sprintf("%X", session), SessionKey: fmt.Sprintf("%X", sessionKey),
		Input: fmt.Sprintf("%X", input), Input2: fmt.Sprintf("%X", input2), MAC2: fmt.Sprintf("%X", chain2[len(chain2)-1][:4]),
	}
	for _, b := range chain {
		s.Chain = append(s.Chain, fmt.Sprintf("%X", b))
	}
	return s, fmt.Sprintf("%X", chain[len(chain)-1][:4])
}

// loadOf reads the fields of a card-writing request.
func (w *World) loadOf(object flat.Object) (*load, error) {
	l := &load{}
	cardType, _ := object.Value("CARDTYPE")
	k := slices.IndexFunc(w.deck.kinds, func(k CardKind) bool { return k.Type == cardType })
	if k < 0 {
		return nil, fmt.Errorf("%w: card type %q", ErrNoKind, cardType)
	}
	l.kind = w.deck.kinds[k]
	trade, _ := object.Value("TRADETYPE")
	l.unload = trade == "03"
	for _, f := range []struct {
		key   string
		to    *[]byte
		width int
	}{
		{"RNDNUMBER2", &l.random, 4},
		{"CARDTRADENO", &l.counter, 2},
		{"TERMNO", &l.terminal, 6},
		{"HOSTDATE", &l.date, 4},
		{"HOSTTIME", &l.clock, 3},
		{"MAC1", &l.mac1, 4},
		{"ASN", &l.asn, 8},
	} {
		text, _ := object.Value(f.key)
		if f.key == "ASN" && len(text) == 20 {
			text = text[4:]
		}
		b, err := hex.DecodeString(text)
		if err != nil || len(b) != f.width {
			return nil, fmt.Errorf("%w: %s has not %d hexadecimal digits", ErrRequest, f.key, 2*f.width)
		}
		*f.to = b
	}
	for key, to := range map[string]*[]byte{"CARDOLDBAL": &l.balance, "TRADEMONEY": &l.amount} {
		text, _ := object.Value(key)
		fen, err := parseFen(text)
		if err != nil {
			return nil, fmt.Errorf("%w (%s)", err, key)
		}
		*to = []byte{byte(fen >> 24), byte(fen >> 16), byte(fen >> 8), byte(fen)}
	}
	return l, nil
}
