package explain_test

import (
	"bytes"
	"crypto/cipher"
	"crypto/des"
	"crypto/subtle"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm4"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// A party is somebody who computes a MAC by a statement of the layouts and with
// arithmetic of its own, and who can be made to do it wrong.
type party struct {
	key     [16]byte
	factors [][]byte
	values  map[string][]byte

	complementFirst bool // in every diversified key
	oneDES          bool // 3DES is single DES with the left half
	sm4             bool
}

// A formula is what one MAC is made of, by the names of the fields.
type formula struct {
	usage   keystore.Usage
	session string // "": the folded TAC key
	lock    string // of a second step
	message string
	of      string // the field that has the MAC
}

const (
	online  = "random online-counter 8000"
	offline = "random offline-counter serial-low"
	twice   = "terminal-random 8000 0000"
)

var formulas = map[mac.Kind]formula{
	mac.KindLoad:         {keystore.UsageLoad, online, "", "balance amount type terminal", "mac1"},
	mac.KindLoadTAC:      {keystore.UsageTAC, "", "", "new-balance online-counter amount type terminal date time", "tac"},
	mac.KindUnload:       {keystore.UsageUnload, online, "", "balance amount type terminal", "mac1"},
	mac.KindUnloadMAC3:   {keystore.UsageUnload, online, "", "new-balance online-counter amount type terminal date time", "mac3"},
	mac.KindPurchase:     {keystore.UsagePurchase, offline, "", "amount type terminal date time auth-code", ""},
	mac.KindPurchaseMAC2: {keystore.UsagePurchase, offline, "", "amount", "mac2"},
	mac.KindPurchaseTAC:  {keystore.UsageTAC, "", "", "amount type terminal terminal-serial date time", "tac"},
	mac.KindOverdraft:    {keystore.UsageOverdraft, online, "", "balance limit type terminal", "mac1"},
	mac.KindOverdraftTAC: {keystore.UsageTAC, "", "", "new-balance online-counter new-limit type terminal date time", "tac"},
	mac.KindLock:         {keystore.UsagePurchase, offline, twice, "type terminal date time", ""},
	mac.KindLockMAC2:     {keystore.UsagePurchase, offline, twice, "balance offline-counter", "mac2"},
	mac.KindLockTAC:      {keystore.UsageTAC, "", "", "amount type terminal terminal-serial date time", "tac"},
	mac.KindLockDebit:    {keystore.UsagePurchase, offline, twice, "balance offline-counter", "mac2"},
	mac.KindUnlock:       {keystore.UsageUnlock, online, "", "balance offline-counter type terminal", "mac1"},
	mac.KindUnlockMAC3:   {keystore.UsageUnlock, online, "", "new-balance online-counter amount type terminal date time", "mac3"},
}

// join gives the values of the names one after the other.
func (p *party) join(names string) []byte {
	var all []byte
	for _, name := range strings.Fields(names) {
		switch name {
		case "8000":
			all = append(all, 0x80, 0)
		case "0000":
			all = append(all, 0, 0)
		case "serial-low":
			all = append(all, p.values["terminal-serial"][2:]...)
		default:
			all = append(all, p.values[name]...)
		}
	}
	return all
}

func (p *party) block(key []byte) cipher.Block {
	var c cipher.Block
	var err error
	switch {
	case p.sm4:
		c, err = sm4.NewCipher(key)
	case p.oneDES || len(key) == 8:
		c, err = des.NewCipher(key[:8])
	default:
		c, err = des.NewTripleDESCipher(append(bytes.Clone(key), key[:8]...))
	}
	if err != nil {
		panic(err)
	}
	return c
}

func encrypted(c cipher.Block, in []byte) []byte {
	out := make([]byte, len(in))
	c.Encrypt(out, in)
	return out
}

func turned(b []byte) []byte {
	out := bytes.Clone(b)
	for i := range out {
		out[i] = ^out[i]
	}
	return out
}

// derive is one level of diversification, and with SM4 the making of a session
// key.
func (p *party) derive(key, data []byte, complementFirst bool) []byte {
	first, second := data, turned(data)
	if complementFirst {
		first, second = second, first
	}
	c := p.block(key)
	if p.sm4 {
		return encrypted(c, append(bytes.Clone(first), second...))
	}
	return append(encrypted(c, first), encrypted(c, second)...)
}

func (p *party) session(key, data []byte) []byte {
	if p.sm4 {
		return p.derive(key, data, false)
	}
	return encrypted(p.block(key), data)
}

// mac is the MAC of f.
func (p *party) mac(f formula) []byte {
	key := p.key[:]
	for _, factor := range p.factors {
		key = p.derive(key, factor, p.complementFirst)
	}
	switch {
	case f.session != "":
		key = p.session(key, p.join(f.session))
		if f.lock != "" {
			key = p.session(key, p.join(f.lock))
		}
	case p.oneDES:
		key = key[:8]
	case !p.sm4:
		folded := make([]byte, 8)
		subtle.XORBytes(folded, key[:8], key[8:])
		key = folded
	}
	c := p.block(key)
	data := append(p.join(f.message), 0x80)
	for len(data)%c.BlockSize() != 0 {
		data = append(data, 0)
	}
	x := make([]byte, c.BlockSize())
	for ; len(data) > 0; data = data[c.BlockSize():] {
		subtle.XORBytes(x, x, data)
		c.Encrypt(x, x)
	}
	return x[:4]
}

// The values of one transaction of each kind.
func values(kind mac.Kind) map[string][]byte {
	v := map[string][]byte{
		"random": {0x11, 0x22, 0x33, 0x44}, "online-counter": {0x01, 0x09}, "offline-counter": {0x00, 0x27},
		"terminal-serial": {0x00, 0x01, 0x80, 0x07}, "balance": {0, 0, 0x27, 0x10}, "new-balance": {0, 0, 0x3A, 0x98}, "amount": {0, 0, 0x13, 0x88},
		"terminal": {0x11, 0x22, 0x33, 0x44, 0x55, 0x66}, "date": {0x20, 0x26, 0x11, 0x28}, "time": {0x09, 0x15, 0x01},
		"limit": {0, 0x20, 0x10}, "new-limit": {0, 0x30, 0x20}, "terminal-random": {0xA1, 0xA2, 0xA3, 0xA4},
	}
	v["type"] = []byte{byte(kind.Types()[0])}
	return v
}

// ask is the operation of kind with the values, and without a claim.
func ask(t *testing.T, kind mac.Kind, id mac.KeyID, factors [][]byte, values map[string][]byte) mac.Op {
	t.Helper()
	op := mac.Op{Kind: kind, Key: id, Levels: uint8(len(factors))}
	for i, f := range factors {
		op.Factors[i] = mac.Factor(f)
	}
	for _, f := range kind.Inputs() {
		v, ok := values[f.String()]
		if f.Counted() && !f.SetLen(&op, len(v)) {
			t.Fatalf("%s: %d bytes", f, len(v))
		}
		if ok {
			copy(f.Bytes(&op), v)
		}
	}
	return op
}
