package explain

import (
	"fmt"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
)

// A candidate is a reading with a mistake in it, and what to say if its MAC is
// the one that was seen.
type candidate struct {
	Finding
	byFlags bool // the reading can be had by saying something else
	r       reading
}

// A mistake is one that people make, and every way to make it.
type mistake struct {
	name string
	make func(w *work, r reading) []candidate
}

// mistakes are tried in this order.
var mistakes = []mistake{
	{"type", otherType},
	{"factor-order", otherOrder},
	{"levels", otherLevels},
	{"asn", otherASN},
	{"complement", complementFirst},
	{"bcd", moneyInBCD},
	{"counter", counterOff},
	{"key", otherKey},
	{"single-des", singleDES},
	{"auth-code", otherCode},
	{"cipher", otherCipher},
	{"profile", otherSwitch},
}

// say makes a candidate of r.
func say(r reading, text, mend string) candidate {
	return candidate{Finding: Finding{Text: text, Mend: mend}, r: r}
}

// otherType takes every other type that has a name. See [PBOC] 4.
func otherType(_ *work, r reading) (all []candidate) {
	if !r.covers(mac.Type) {
		return nil
	}
	plan, _ := mac.PlanOf(r.op, &r.profile, r.cipher)
	now := mac.TransactionType(mac.Type.Bytes(&plan.Op)[0])
	for _, t := range mac.TransactionTypes() {
		if t == now {
			continue
		}
		other := r
		mac.Type.Bytes(&other.op)[0] = byte(t)
		c := say(other, fmt.Sprintf("transaction type %02X, %s, where %02X, %s, was said", byte(t), t.Name(), byte(now), now.Name()),
			"both sides must take the same transaction type identifier (TTI)")
		c.byFlags = true
		all = append(all, c)
	}
	return all
}

// otherOrder takes the factors in every other order. See [PBOC] 2.
func otherOrder(_ *work, r reading) (all []candidate) {
	for _, order := range arrangements(int(r.op.Levels)) {
		if len(order) == int(r.op.Levels) {
			all = append(all, say(arranged(r, order), "the factors in another order",
				"the list begins with the outermost authority and ends with the card; PSAM commands often have it the other way round"))
			all[len(all)-1].byFlags = true
		}
	}
	return all
}

// otherLevels takes fewer factors, or the last one twice. See [PBOC] 2.
func otherLevels(w *work, r reading) (all []candidate) {
	n := int(r.op.Levels)
	const mend = "the two sides disagree about the levels of diversification: compare how the key was set up"
	for _, order := range arrangements(n) {
		if len(order) < n {
			c := say(arranged(r, order), fmt.Sprintf("%d of the %d factors", len(order), n), mend)
			c.byFlags = len(order) == int(w.keys.Key(r.key).Levels)
			all = append(all, c)
		}
	}
	if n > 0 && n < len(r.op.Factors) {
		other := r
		other.op.Factors[n] = r.op.Factors[n-1]
		other.op.Levels++
		c := say(other, "the card's factor twice", "some estates diversify by the ASN twice: the key then has one level more")
		c.byFlags = n+1 == int(w.keys.Key(r.key).Levels)
		all = append(all, c)
	}
	return all
}

// arranged is r with the factors that order names.
func arranged(r reading, order []int) reading {
	given := r.op.Factors
	for i, from := range order {
		r.op.Factors[i] = given[from]
	}
	r.op.Levels = uint8(len(order))
	return r
}

// arrangements gives the ways to take some of n things in some order, without
// the one that takes all as they are.
func arrangements(n int) (all [][]int) {
	var extend func(taken []int)
	extend = func(taken []int) {
		inOrder := len(taken) == n
		for i, v := range taken {
			inOrder = inOrder && v == i
		}
		if !inOrder {
			all = append(all, append([]int(nil), taken...))
		}
		for i := range n {
			free := true
			for _, v := range taken {
				free = free && v != i
			}
			if free {
				extend(append(taken, i))
			}
		}
	}
	extend(nil)
	return all
}

// otherASN turns the last factor round; what stands left and right of it is
// searched for apart.
func otherASN(_ *work, r reading) []candidate {
	if r.op.Levels == 0 {
		return nil
	}
	other := r
	f := &other.op.Factors[r.op.Levels-1]
	for i, j := 0, len(f)-1; i < j; i, j = i+1, j-1 {
		f[i], f[j] = f[j], f[i]
	}
	c := say(other, "the bytes of the card's factor from right to left", "the ASN is taken as file 0015 has it, its rightmost 16 digits")
	c.byFlags = true
	return []candidate{c}
}

// complementFirst swaps the halves of diversified keys: what the complement of
// a factor diversifies to. See [PBOC] 2.
func complementFirst(_ *work, r reading) (all []candidate) {
	n := int(r.op.Levels)
	turn := func(levels ...int) reading {
		other := r
		for _, l := range levels {
			for i := range other.op.Factors[l] {
				other.op.Factors[l][i] = ^other.op.Factors[l][i]
			}
		}
		return other
	}
	const mend = "the factor makes the left half of a diversified key, its complement the right half"
	var every []int
	for l := range n {
		every = append(every, l)
	}
	if n > 1 {
		all = append(all, say(turn(every...), "the halves of every diversified key swapped, the complement first", mend))
	}
	for l := range n {
		all = append(all, say(turn(l), fmt.Sprintf("the halves of the key of level %d swapped, the complement first", l+1), mend))
	}
	return all
}

// otherKey takes every other key of the set. See [PBOC] 8.
func otherKey(w *work, r reading) (all []candidate) {
	for i := range w.keys.Keys() {
		h := keystore.Handle(i)
		k := w.keys.Key(h)
		if k.Set != w.op.Key.Set || k.Ref.String() == w.x.Key || k.Home.InToken() {
			continue
		}
		other := r.with(w.keys, h)
		if k.Levels < r.op.Levels { // the card's own factors come last
			n := copy(other.op.Factors[:], r.op.Factors[r.op.Levels-k.Levels:r.op.Levels])
			other.op.Levels = uint8(n)
		}
		other.op.Key.Version, other.op.Key.Algorithm = k.Version, k.Algorithm
		text, mend := fmt.Sprintf("the key %s", k.Ref), "a key of another usage was taken: each role has its own"
		asked := w.x.Key
		if ref := (keystore.Ref{Set: k.Set, Usage: k.Usage, Version: w.op.Key.Version, Algorithm: w.op.Key.Algorithm}); ref.String() == asked {
			mend = "take the key version and the algorithm identifier that the card's answer to INITIALIZE reports"
		}
		c := say(other, text, mend)
		c.byFlags = other.op.Levels == k.Levels && k.State == keystore.StateActive && sameUsage(other, k.Usage)
		all = append(all, c)
	}
	return all
}

func sameUsage(r reading, u keystore.Usage) bool {
	plan, err := mac.PlanOf(r.op, &r.profile, r.cipher)
	return err == nil && plan.Usage == u
}

// singleDES computes with one half of a key where two belong. 3DES with two
// equal halves is single DES.
func singleDES(_ *work, r reading) []candidate {
	if r.cipher != keystore.Cipher3DES {
		return nil
	}
	last, first := r, r
	a := r.arithmetic
	last.arithmetic.SessionKey = func(k reference.Key, data [8]byte) []byte { return a.SessionKey(left(k), data) }
	last.arithmetic.TACKey = func(k reference.Key) []byte { return k[:8] }
	last.arithmetic.Retail = func(k reference.Key, iv [16]byte, padded []byte) [][]byte { return a.Retail(left(k), iv, padded) }
	last.arithmetic.Encipher = func(k reference.Key, blocks []byte) []byte { return a.Encipher(left(k), blocks) }
	first.arithmetic.Diversify = func(k reference.Key, f mac.Factor) reference.Key { return a.Diversify(left(k), f) }
	all := last
	all.arithmetic.Diversify = first.arithmetic.Diversify
	const mend = "16-byte keys compute in two-key 3DES; only the session key and the folded TAC key are single-DES keys"
	found := []candidate{say(last, "single DES with the left half of the card's key", mend)}
	if r.op.Levels > 0 {
		found = append(found, say(first, "single DES in the diversification", mend), say(all, "single DES throughout", mend))
	}
	return found
}

func left(k reference.Key) reference.Key {
	half, _ := k.Halves()
	return reference.Key(append(half[:], half[:]...))
}

// otherCode leaves the authentication code of CJ/T 166 out, or takes the one
// that does not belong here. See [PBOC] 5.3.
func otherCode(w *work, r reading) []candidate {
	if !r.covers(mac.AuthCode) {
		return nil
	}
	other := r
	const mend = "the switch auth-code of the profile says where the authentication code of CJ/T 166 belongs: see pbochsm profile"
	switch {
	case len(mac.AuthCode.Bytes(&r.op)) > 0:
		mac.AuthCode.SetLen(&other.op, 0)
		return []candidate{say(other, "no authentication code of CJ/T 166 in the MAC", mend)}
	case len(w.code) > 0:
		mac.AuthCode.SetLen(&other.op, len(w.code))
		copy(mac.AuthCode.Bytes(&other.op), w.code)
		return []candidate{say(other, "the authentication code of CJ/T 166 in the MAC", mend)}
	}
	return nil
}

// otherCipher takes the bytes of the key for a key of the other cipher.
func otherCipher(_ *work, r reading) []candidate {
	other := r
	name := "SM4"
	other.cipher = keystore.CipherSM4
	if r.cipher == keystore.CipherSM4 {
		name, other.cipher = "3DES", keystore.Cipher3DES
	}
	other.arithmetic = reference.Of(other.cipher)
	return []candidate{say(other, name+" with the bytes of this key", "the cipher belongs to the key: import it as what it is on the card")}
}

// otherSwitch reads each switch of the profile otherwise. See [PBOC] 11.
func otherSwitch(w *work, r reading) (all []candidate) {
	for i, text := range keystore.Switches() {
		for reading := range text.Readings {
			if s := keystore.Switch(i); s != keystore.SwitchAuthCode && r.profile.Switches[s] != uint8(reading) {
				all = append(all, w.switched(r, s, uint8(reading), text)...)
			}
		}
	}
	return all
}

// switched is r under a profile with one switch turned, if the key for it is
// there.
func (w *work) switched(r reading, s keystore.Switch, to uint8, text keystore.SwitchText) []candidate {
	before, err := mac.PlanOf(r.op, &r.profile, r.cipher)
	if err != nil {
		return nil
	}
	other := r
	other.profile.Switches[s] = to
	if s == keystore.SwitchScriptIV && to == keystore.ScriptIVZero && r.op.Kind.Commands() {
		mac.Challenge.SetLen(&other.op, 0)
	}
	after, err := mac.PlanOf(other.op, &other.profile, r.cipher)
	if err != nil {
		return nil
	}
	if after.Usage != before.Usage {
		id := r.op.Key
		h, found := w.handle(keystore.Ref{Set: id.Set, Usage: after.Usage, Version: id.Version, Algorithm: id.Algorithm})
		if !found || w.keys.Key(h).Home.InToken() {
			return nil
		}
		other = other.with(w.keys, h)
	}
	return []candidate{say(other, fmt.Sprintf("%s: %s", text.Name, text.Readings[to]),
		fmt.Sprintf("turn the switch, if the cards are so: pbochsm profile set --set %02X --switch %s=%s", w.op.Key.Set, text.Name, text.Readings[to]))}
}
