package sim

import (
	"context"
	"crypto/subtle"
	"encoding/binary"
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
	"pbochsm/mac/explain"
)

// An Explanation is one request with every value on the way to its answer.
// Keys of domains stay hidden; the card keys of a sandbox are published.
type Explanation struct {
	ID     int64             `json:"id"`
	Path   string            `json:"path"`
	Fields map[string]string `json:"fields"`
	Answer string            `json:"answer"`
	Token  *TokenStory       `json:"token,omitempty"`
	Notes  []string          `json:"notes,omitempty"`

	// MAC1 is what "pbochsm explain" tells of the load or unload: how MAC1 and
	// MAC2 come about, and which mistake the card's MAC1 fits.
	MAC1 *explain.Explanation `json:"mac1,omitempty"`

	// Receipt is the same of the TAC or MAC3 by which a card confirms, over what
	// the request said that wrote it.
	Receipt *explain.Explanation `json:"receipt,omitempty"`
}

// A TokenStory is how the token is made, and which reading the sender's fits.
type TokenStory struct {
	Signed  string `json:"signed"` // the string that is hashed, its key hidden
	Sent    string `json:"sent"`
	Matches string `json:"matches"` // pair, verbatim, all, or none
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
		if x.MAC1, err = w.macStory(r.Context(), object); err != nil {
			x.Notes = append(x.Notes, err.Error())
		}
	}
	if claim, present := receiptOf(object); present {
		if x.Receipt, err = w.receiptStory(r.Context(), e, object, claim); err != nil {
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

// macStory explains the load or unload of a request under the sandbox's keys.
func (w *World) macStory(ctx context.Context, object flat.Object) (*explain.Explanation, error) {
	op, err := w.opOf(object)
	if err != nil {
		return nil, err
	}
	return w.o.Explainer.Explain(ctx, op, nil)
}

// opOf is the operation that a card-writing request has the security module
// carry out.
func (w *World) opOf(object flat.Object) (op mac.Op, err error) {
	cardType, _ := object.Value("CARDTYPE")
	k := slices.IndexFunc(w.deck.kinds, func(k CardKind) bool { return k.Type == cardType })
	if k < 0 {
		return op, fmt.Errorf("%w: card type %q", ErrNoKind, cardType)
	}
	kind := w.deck.kinds[k]
	asn, _ := object.Value("ASN")
	if len(asn) == 20 {
		asn = asn[4:]
	}
	factor, err := hex.DecodeString(asn)
	if err != nil || len(factor) != len(mac.Factor{}) {
		return op, fmt.Errorf("%w: ASN has neither 16 nor 20 digits", ErrRequest)
	}
	op = kind.op(object, mac.Factor(factor))
	for _, f := range op.Kind.Inputs() {
		if f == mac.Type { // which no request says
			continue
		}
		text, _ := object.Value(requestFields[f])
		if err := fill(&op, f, text); err != nil {
			return op, fmt.Errorf("%w (%s)", err, requestFields[f])
		}
	}
	return op, nil
}

// op begins the operation of a request: which one, and with whose key.
func (k *CardKind) op(object flat.Object, asn mac.Factor) mac.Op {
	op := mac.Op{Kind: mac.KindLoad, Key: mac.KeyID{Set: k.Set, Version: k.Version, Algorithm: k.Algorithm}}
	op.Levels = uint8(copy(op.Factors[:], append(slices.Clone(k.Factors), asn)))
	trade, _ := object.Value("TRADETYPE")
	switch {
	case trade == "03":
		op.Kind = mac.KindUnload
	case k.Purse == cardtest.ED:
		mac.Type.Bytes(&op)[0] = byte(mac.TypeLoadED)
	default:
		mac.Type.Bytes(&op)[0] = byte(mac.TypeLoadEP)
	}
	return op
}

// requestFields are the keys of the API that hold the fields of a load.
var requestFields = map[mac.Field]string{
	mac.Random: "RNDNUMBER2", mac.OnlineCounter: "CARDTRADENO", mac.OldBalance: "CARDOLDBAL", mac.Amount: "TRADEMONEY",
	mac.Terminal: "TERMNO", mac.Date: "HOSTDATE", mac.Time: "HOSTTIME", mac.MAC1: "MAC1",
}

// fill reads the text of a request into a field of op.
func fill(op *mac.Op, f mac.Field, text string) error {
	if f == mac.OldBalance || f == mac.Amount {
		fen, err := parseFen(text)
		if err != nil {
			return err
		}
		binary.BigEndian.PutUint32(f.Bytes(op), uint32(fen))
		return nil
	}
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != f.Width() {
		return fmt.Errorf("%w: not %d hexadecimal digits", ErrRequest, 2*f.Width())
	}
	copy(f.Bytes(op), b)
	return nil
}
