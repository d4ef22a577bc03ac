package explain

import (
	"fmt"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
)

// tell shows the base reading, and gives what it computes: nothing where there
// is no key to compute with.
func (w *work) tell() (*outcome, error) {
	if !w.bytes {
		return nil, w.tellPlan()
	}
	o, err := w.base.compute(w.keys)
	if err != nil {
		_, field := mac.InvalidField(err)
		if field || w.op.Kind == mac.KindWriteKey { // the module has said so, of the key to be written as well
			return nil, nil //nolint:nilnil // nothing is computed, and that is no failure
		}
		return nil, err
	}
	w.tellKeys(o)
	for i := range o.runs {
		w.tellRun(o, &o.runs[i])
	}
	return o, nil
}

// tellPlan shows what is MACed where there is no key.
func (w *work) tellPlan() error {
	plan, err := mac.PlanOf(w.base.op, &w.base.profile, w.base.cipher)
	if err != nil {
		return nil //nolint:nilerr // the module has said so
	}
	o := &outcome{plan: plan}
	one := run{chain: plan.Chain}
	if s := plan.Chain.Script; s != nil {
		one.data = s.Data
	}
	w.tellRun(o, &one)
	return nil
}

// tellKeys shows the keys from the issuer's to the last.
func (w *work) tellKeys(o *outcome) {
	plan, t := o.plan, &o.runs[0].trace
	op := &plan.Op
	for i, k := range t.Keys {
		key := Key{Name: "issuer's key"}
		switch {
		case i == len(t.Keys)-1:
			key.Name = "card's key"
		case i > 0:
			key.Name = fmt.Sprintf("level %d", i)
		}
		key.diversified(op, i)
		w.addKey(key, k[:])
	}
	chain := &plan.Chain
	if key := newKey(&o.runs[0]); key != nil {
		w.addNewKey(op, o.runs[0].chain.Script.Insert.Key, key)
	}
	if t.Session != nil {
		key := Key{Name: "session key", From: partsOf(plan.Session, op, w.open), Data: hexadecimal(chain.Data[:])}
		w.addKey(key, t.Session)
	}
	switch chain.Final {
	case mac.FinalLock:
		w.addKey(Key{Name: "lock key", From: partsOf(plan.Lock, op, w.open), Data: hexadecimal(chain.Lock[:])}, t.Final)
	case mac.FinalTAC:
		w.addKey(Key{Name: "folded key"}, t.Final)
	}
}

// newKey is the key, the card's own already, that a run enciphers for a card; nil
// if it does not.
func newKey(one *run) []byte {
	s := one.chain.Script
	if s == nil || s.Insert == nil {
		return nil
	}
	return one.data[s.Insert.At:][:len(keystore.Secret{})]
}

// diversified says with which factor k was made, the one of a level.
func (k *Key) diversified(op *mac.Op, level int) {
	if level == 0 {
		return
	}
	k.Data = hexadecimal(op.Factors[level-1][:])
	k.From = []Part{{Name: fmt.Sprintf("factor %d", level), Chinese: "分散因子", Bytes: k.Data}}
}

// addNewKey shows the key that is written into the card.
func (w *work) addNewKey(op *mac.Op, h keystore.Handle, secret []byte) {
	k := w.keys.Key(h)
	key := Key{Name: "new key " + k.Ref.String(), KCV: reference.CheckValue(k.Cipher, secret).String()}
	key.diversified(op, int(op.Levels))
	if w.open {
		key.Bytes = hexadecimal(secret)
	}
	w.x.Keys = append(w.x.Keys, key)
}

func (w *work) addKey(k Key, secret []byte) {
	k.KCV = reference.CheckValue(w.base.cipher, secret).String()
	if w.open {
		k.Bytes = hexadecimal(secret)
	}
	w.x.Keys = append(w.x.Keys, k)
}

// under is the name of the key that MACs.
func under(f mac.Final) string {
	return map[mac.Final]string{
		mac.FinalSession: "session key", mac.FinalTAC: "folded key", mac.FinalLock: "lock key", mac.FinalCard: "card's key",
	}[f]
}

// tellRun shows the messages of one chain.
func (w *work) tellRun(o *outcome, one *run) {
	plan, c := o.plan, &one.chain
	kind := plan.Op.Kind
	m := Message{Under: under(c.Final)}
	if c.Script != nil {
		w.tellScript(o, one, m)
		return
	}
	if claim, claims := kind.Claims(); claims {
		n := Message{Name: claim.String(), Role: Checked, Under: m.Under, Input: partsOf(plan.Claimed, &plan.Op, w.open)}
		w.addMessage(n, c.Message[0].Data[:8*int(c.Message[0].Blocks)], one.trace.Blocks[0], o.claimed, claim.Bytes(&w.op))
	}
	answer, makes := kind.Answers()
	if makes || kind.Commands() {
		n := Message{Name: answer.String(), Role: Answered, Under: m.Under, Input: partsOf(plan.Made, &plan.Op, w.open)}
		data := c.Message[1].Data[:8*int(c.Message[1].Blocks)]
		if kind.Commands() {
			n.Name, n.Input = commandName, []Part{partOf(mac.PIN, &plan.Op, w.open)}
		}
		w.addMessage(n, data, one.trace.Blocks[1], w.released(o), w.expect)
	}
}

// commandName is the name of what an issuer script makes.
const commandName = "command"

// released is what was made, where it may be shown: with test keys, or where the
// module made it as well.
func (w *work) released(o *outcome) []byte {
	if w.open {
		return o.made
	}
	return w.answer
}

// addMessage shows a MAC: its padded input, the chain, what comes out and what
// it was held against.
func (w *work) addMessage(m Message, data []byte, chain [][]byte, result, given []byte) {
	size := blockSize(w.base.cipher)
	m.Blocks = cut(data, chain, size, w.open)
	if w.secretInput(m.Input) {
		for i := range m.Blocks {
			m.Blocks[i].Data = hidden
		}
	}
	right := result != nil && same(result, given)
	if given != nil {
		m.Given = hexadecimal(given)
	}
	if given != nil && result != nil {
		m.Right = &right
	}
	if result != nil && (w.open || m.Role == Answered || right) {
		m.Result = hexadecimal(result)
	}
	w.x.Messages = append(w.x.Messages, m)
}

func (w *work) secretInput(parts []Part) bool {
	for _, p := range parts {
		if p.Bytes == hidden {
			return true
		}
	}
	return false
}

// tellScript shows a chain of an issuer script: an encipherment, or a MAC.
func (w *work) tellScript(o *outcome, one *run, m Message) {
	plan, c := o.plan, &one.chain
	kind := plan.Op.Kind
	size := blockSize(w.base.cipher)
	chain := one.trace.Blocks[0]
	if c.Mode == mac.ModeEncipher {
		for out := one.trace.Out; len(out) >= size; out = out[size:] {
			chain = append(chain, out[:size])
		}
	} else if plan.Claimed == nil {
		m.IV = hexadecimal(c.Script.IV[:size])
	}
	m.Input = w.scriptInput(o, one)
	result, given := w.released(o), w.expect
	m.Name, m.Role = commandName, Answered
	if claim, claims := kind.Claims(); claims {
		m.Name, m.Role = claim.String(), Checked
		result, given = o.claimed, claim.Bytes(&w.op)
	} else if c.Mode == mac.ModeEncipher && kind != mac.KindExternalAuth {
		m.Name, m.Role = "data", Enciphered
		result, given = nil, nil
	}
	w.addMessage(m, one.data, chain, result, given)
}

// scriptInput is what a chain of an issuer script begins with.
func (w *work) scriptInput(o *outcome, one *run) []Part {
	plan := o.plan
	var body []Part
	for _, f := range plan.Op.Kind.Inputs() {
		isBody := f == mac.PIN || f == mac.Content || f == mac.KeyHeader || f == mac.Challenge && one.chain.Mode == mac.ModeEncipher && len(body) == 0
		if isBody {
			body = []Part{partOf(f, &plan.Op, w.open)}
		}
	}
	switch {
	case plan.Claimed != nil:
		return partsOf(plan.Claimed, &plan.Op, w.open)
	case one.chain.Mode == mac.ModeEncipher && plan.Op.Kind == mac.KindWriteKey:
		return append(body, w.newKeyPart(one))
	case one.chain.Mode == mac.ModeEncipher:
		return body
	}
	header := Part{Name: "header", Chinese: "命令头", Bytes: hexadecimal(one.data[:5])}
	if len(o.runs) < 2 {
		return append([]Part{header}, body...)
	}
	enciphered := Part{Name: "enciphered data", Chinese: "密文", Bytes: hidden}
	if w.open || w.answer != nil { // the command has them as well
		enciphered.Bytes = hexadecimal(o.runs[0].trace.Out)
	}
	return []Part{header, enciphered}
}

// newKeyPart is the key that is written, within what is enciphered.
func (w *work) newKeyPart(one *run) Part {
	p := Part{Name: "new key", Chinese: "新密钥", Bytes: hidden}
	if key := newKey(one); key != nil && w.open {
		p.Bytes = hexadecimal(key)
	}
	return p
}
