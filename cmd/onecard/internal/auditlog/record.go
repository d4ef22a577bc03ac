package auditlog

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// A Record is a MAC2 that was made for a load or an unload.
type Record struct {
	At       time.Time
	Kind     mac.Kind // KindLoad or KindUnload
	Key      mac.KeyID
	Factors  []mac.Factor // outermost authority first, the card last
	Random   [4]byte
	Counter  mac.OnlineCount
	Amount   mac.Fen
	Type     mac.TransactionType // of a load
	Terminal mac.TerminalID
	Date     mac.BCDDate
	Time     mac.BCDTime
}

// kinds are the operations whose answer is a MAC2 for a host's money.
var kinds = map[string]mac.Kind{
	mac.KindLoad.String():   mac.KindLoad,
	mac.KindUnload.String(): mac.KindUnload,
}

// text is a record as the log has it. Its members are named by the fields of
// package mac.
type text struct {
	At        time.Time `json:"at"`
	Outcome   string    `json:"outcome"`
	Operation string    `json:"operation"`
	Key       string    `json:"key"`
	Factors   []string  `json:"factors"`
	Random    string    `json:"random"`
	Counter   string    `json:"online-counter"`
	Amount    string    `json:"amount"`
	Type      string    `json:"type"`
	Terminal  string    `json:"terminal"`
	Date      string    `json:"date"`
	Time      string    `json:"time"`
}

var made = []byte(`"outcome":"made"`)

// parse reads a line. It gives false for a record of something else.
func parse(line []byte) (r Record, ok bool, err error) {
	if !bytes.Contains(line, made) {
		return r, false, nil
	}
	var t text
	if err := json.Unmarshal(line, &t); err != nil {
		return r, false, err
	}
	kind, ok := kinds[t.Operation]
	if !ok {
		return r, false, nil
	}
	r.At, r.Kind = t.At, kind
	if _, err := fmt.Sscanf(t.Key, "%02X/%02X/%02X", &r.Key.Set, &r.Key.Version, &r.Key.Algorithm); err != nil {
		return r, false, fmt.Errorf("key %q", t.Key)
	}
	if len(t.Factors) < 1 || len(t.Factors) > keystore.MaxLevels {
		return r, false, fmt.Errorf("%d factors", len(t.Factors))
	}
	r.Factors = make([]mac.Factor, len(t.Factors))
	for i, f := range t.Factors {
		if err := decode(r.Factors[i][:], "factor", f); err != nil {
			return r, false, err
		}
	}
	return r, true, r.fields(&t)
}

// fields reads what both operations have, and the type of a load.
func (r *Record) fields(t *text) error {
	var counter [2]byte
	var amount [4]byte
	var kind [1]byte
	for _, f := range []struct {
		to    []byte
		field mac.Field
		text  string
	}{
		{r.Random[:], mac.Random, t.Random},
		{counter[:], mac.OnlineCounter, t.Counter},
		{amount[:], mac.Amount, t.Amount},
		{r.Terminal[:], mac.Terminal, t.Terminal},
		{r.Date[:], mac.Date, t.Date},
		{r.Time[:], mac.Time, t.Time},
		{kind[:], mac.Type, t.Type},
	} {
		if f.field == mac.Type && r.Kind != mac.KindLoad {
			continue
		}
		if err := decode(f.to, f.field.String(), f.text); err != nil {
			return err
		}
	}
	r.Counter = mac.OnlineCount(counter[0])<<8 | mac.OnlineCount(counter[1])
	for _, b := range amount {
		r.Amount = r.Amount<<8 | mac.Fen(b)
	}
	r.Type = mac.TransactionType(kind[0])
	return nil
}

func decode(to []byte, name, digits string) error {
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) != len(to) {
		return fmt.Errorf("%s %q has not %d hexadecimal digits", name, digits, 2*len(to))
	}
	copy(to, b)
	return nil
}
