package sim

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"pbochsm/cmd/onecard/internal/api/contract"
	"pbochsm/cmd/onecard/internal/api/flat"
	"pbochsm/mac"
	"pbochsm/mac/explain"
)

// receipts are the keys of the API by which a card confirms, and what each is.
var receipts = map[string]struct {
	field mac.Field
	of    mac.Kind // what it confirms
	kind  mac.Kind
}{
	"CARDTAC": {mac.TAC, mac.KindLoad, mac.KindLoadTAC},
	"MAC3":    {mac.MAC3, mac.KindUnload, mac.KindUnloadMAC3},
}

// receiptOf is the key of the receipt that a request has.
func receiptOf(object flat.Object) (key string, present bool) {
	for key := range receipts {
		if _, present := object.Value(key); present {
			return key, true
		}
	}
	return "", false
}

var (
	errNoWriting = errors.New("sim: the request that wrote the card is not remembered any more: what the receipt covers is not known")
	errOther     = errors.New("sim: a load is confirmed by a TAC, an unload by a MAC3")
)

// receiptStory explains the receipt of e over what the request said that wrote
// the card.
func (w *World) receiptStory(ctx context.Context, e *exchange, object flat.Object, key string) (*explain.Explanation, error) {
	var written flat.Object
	if w.book.latest(e.ID, func(before *exchange) bool {
		o, err := flat.Parse(before.Body, contract.Aliases())
		if err != nil || !sameWriting(o, object) {
			return false
		}
		written = o
		return true
	}) == nil {
		return nil, errNoWriting
	}
	op, err := w.opOf(written)
	if err != nil {
		return nil, err
	}
	r := receipts[key]
	if op.Kind != r.of {
		return nil, errOther
	}
	op.Kind = r.kind
	balance, amount := binary.BigEndian.Uint32(mac.OldBalance.Bytes(&op)), binary.BigEndian.Uint32(mac.Amount.Bytes(&op))
	if r.of == mac.KindUnload {
		amount = -amount
	}
	binary.BigEndian.PutUint32(mac.NewBalance.Bytes(&op), balance+amount)
	text, _ := object.Value(key)
	if err := fill(&op, r.field, text); err != nil {
		return nil, fmt.Errorf("%w (%s)", err, key)
	}
	return w.o.Explainer.Explain(ctx, op, nil)
}

// sameWriting tells whether a request wrote the card of which another confirms
// the order: by its serial, or by the card and its counter.
func sameWriting(wrote, confirms flat.Object) bool {
	if _, wrote := wrote.Value("MAC1"); !wrote {
		return false
	}
	same := func(keys ...string) bool {
		for _, key := range keys {
			a, _ := wrote.Value(key)
			if b, _ := confirms.Value(key); a == "" || a != b {
				return false
			}
		}
		return true
	}
	return same("TRADEID") || same("CARDNO", "CARDTRADENO")
}
