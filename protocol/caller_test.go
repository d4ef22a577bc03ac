package protocol_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"pbochsm/mac"
	"pbochsm/protocol"
)

var hostileAnswers = flag.Int("hostile.answers", 10_000, "answers that TestHostileCaller asks for")

// TestHostileCaller holds what docs/security.md promises: a caller who may give
// every command, who has published keys of his own beside the issuer's, and who
// feeds each answer into the next request, never finds in an answer a key, half a
// key, a session key, a value of a CBC chain, eight bytes of a MAC, or a MAC that
// he has not earned by a right one. It goes through all pairs of commands, again
// and again.
func TestHostileCaller(t *testing.T) {
	w := newWitness(t)
	c := newCaller(t, w, mac.NewEngine(w.keys, w))
	if err := c.goThrough(*hostileAnswers); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d answers, %d of them done; %d claims were right, %d wrong", c.answers, c.done, c.right, c.wrong)
	if c.done < c.answers/10 || c.right < c.answers/100 || c.wrong < c.answers/100 {
		t.Errorf("%d answers, %d done, %d claims right, %d wrong: the caller hardly reaches the keys", c.answers, c.done, c.right, c.wrong)
	}
	if n := len(c.commands()); n < len(protocol.Specification()) {
		t.Errorf("%d commands are given, there are %d", n, len(protocol.Specification()))
	}
}

// A module that gives something away is found out.
func TestHostileCallerFindsWhatThereIs(t *testing.T) {
	w := newWitness(t)
	engine := mac.NewEngine(w.keys, w)
	for name, fault := range map[string]mac.HSM{
		"MAC2 for nothing": forgiving{engine, w},
		"a card's key in a command": hsmFunc(func(op *mac.Op) {
			ops := []mac.Op{*op}
			op.Err = errors.Join(engine.Do(context.Background(), ops), ops[0].Err)
			op.Answer = ops[0].Answer
			op.SetCommand(ops[0].Command())
			if op.Kind == mac.KindCardBlock && op.Err == nil {
				op.SetCommand(append([]byte{1}, w.aKey()...))
			}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			if err := newCaller(t, w, fault).goThrough(20_000); err == nil {
				t.Error("nothing was found")
			}
		})
	}
}

// forgiving takes every claim for right.
type forgiving struct {
	mac.HSM
	witness *witness
}

func (f forgiving) Do(ctx context.Context, ops []mac.Op) error {
	for i := range ops {
		if claim, claims := ops[i].Kind.Claims(); claims && !ops[i].Kind.IsGeneric() {
			copy(claim.Bytes(&ops[i]), f.witness.claimOf(ops[i]))
		}
	}
	return f.HSM.Do(ctx, ops)
}

// A caller gives commands and looks for what he should not have.
type caller struct {
	*rand.Rand
	t       *testing.T
	conn    net.Conn
	witness *witness
	loot    []byte // what the command before was answered with

	earned   bool      // the claim of the command is right
	unearned [2]string // the MACs that the command before, and this one, did not earn, or ""

	answers, done, right, wrong int
}

func newCaller(t *testing.T, w *witness, hsm mac.HSM) *caller {
	t.Helper()
	s := newServer(t)
	s.Keys, s.HSM = w.keys, hsm
	s.Limits.Idle = time.Minute
	c := &caller{Rand: rand.New(rand.NewPCG(5, 1)), t: t, conn: dial(t, start(t, s)), witness: w}
	_ = c.conn.SetDeadline(time.Time{})
	return c
}

// goThrough gives all pairs of commands until there are so many answers, and
// tells what was found.
func (c *caller) goThrough(answers int) error {
	commands := c.commands()
	for c.answers < answers {
		for _, first := range commands {
			for _, second := range commands {
				c.loot = nil
				if err := errors.Join(c.give(first), c.give(second)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// commands are what makes one request of each command.
func (c *caller) commands() (commands []func() string) {
	for _, text := range []string{"NC", "NO00", "NO90"} {
		commands = append(commands, func() string { return text })
	}
	commands = append(commands,
		func() string { return fmt.Sprintf("B2%04X%s", len(c.loot), c.loot) },
		func() string { return fmt.Sprintf("N0%03d", 1+c.IntN(16)) },
		func() string { return fmt.Sprintf("BU021K%03X;00%d", c.IntN(64), c.IntN(2)) },
		func() string { return c.generic(mac.KindMAC) },
		func() string { return c.generic(mac.KindMACVerify) },
		func() string {
			n := 1 + c.IntN(3)
			s := fmt.Sprintf("WS%04X", n)
			for range n {
				k := []mac.Kind{mac.KindLoadTAC, mac.KindPurchaseTAC, mac.KindOverdraftTAC, mac.KindLockTAC}[c.IntN(4)]
				s += body(c.op(k))
			}
			return s
		})
	for _, k := range append(mac.Kinds(), mac.KindTerminalPurchase, mac.KindTerminalLock) {
		commands = append(commands, func() string { return c.purse(k) })
	}
	return commands
}

// purse is an operation with a claim that is made up, right, or right for
// another amount.
func (c *caller) purse(k mac.Kind) string {
	op := c.op(k)
	claim, claims := k.Claims()
	if !claims {
		return body(op)
	}
	guess := c.IntN(4)
	if guess > 1 { // a card's own answer, which a caller can hear
		copy(claim.Bytes(&op), c.witness.claimOf(op))
	}
	if guess == 3 {
		f := k.Inputs()[c.IntN(len(k.Inputs()))]
		if b := f.Bytes(&op); len(b) > 0 {
			b[len(b)-1] ^= 1
		}
	}
	c.earned = bytes.HasPrefix(c.witness.claimOf(op), claim.Bytes(&op))
	return body(op)
}

// op draws an operation that mostly fits, with the loot in one of its fields.
func (c *caller) op(k mac.Kind) mac.Op {
	op := mac.Op{Kind: k, Levels: 1, Key: mac.KeyID{Set: issuerSet, Version: 1, Algorithm: byte(4 * c.IntN(2))}}
	if c.IntN(8) == 0 {
		op.Key.Set = callerSet
	}
	op.Factors[0] = mac.Factor{7: byte(c.IntN(4))}
	for _, f := range k.Inputs() {
		f.SetLen(&op, c.length(f, &op))
		c.fill(f.Bytes(&op))
	}
	if inputs := k.Inputs(); len(c.loot) > 0 && c.IntN(4) > 0 {
		copy(inputs[c.IntN(len(inputs))].Bytes(&op), c.loot)
	}
	if c.IntN(16) > 0 {
		c.suit(&op)
	}
	return op
}

// length draws one that suits a counted field in most cases.
func (c *caller) length(f mac.Field, op *mac.Op) int {
	switch f {
	case mac.AuthCode:
		return 0
	case mac.Challenge:
		if op.Kind == mac.KindExternalAuth || op.Kind == mac.KindInternalAuth {
			return 16
		}
		return 4 << c.IntN(2)
	case mac.Response:
		return 16
	case mac.Content:
		return 1 + c.IntN(60)
	}
	return f.Least() + c.IntN(f.Width()-f.Least()+1)
}

// suit puts fields into their ranges that have narrow ones.
func (c *caller) suit(op *mac.Op) {
	narrow := map[mac.Field][]byte{
		mac.Date: {0x20, 0x24, 0x02, 0x29}, mac.Time: {0x13, 0x57, byte(c.IntN(10))}, mac.Enciphered: {byte(c.IntN(2))},
		mac.NewUsage: {byte(1 + c.IntN(15))}, mac.NewVersion: {1}, mac.NewAlgorithm: {byte(4 * c.IntN(2))}, mac.P2: {byte(c.IntN(2))},
	}
	for _, f := range op.Kind.Inputs() {
		copy(f.Bytes(op), narrow[f])
	}
	if types := op.Kind.Types(); len(types) > 0 && slices.Contains(op.Kind.Inputs(), mac.Type) {
		mac.Type.Bytes(op)[0] = byte(types[c.IntN(len(types))])
	}
}

func (c *caller) fill(b []byte) {
	for i := range b {
		b[i] = byte(c.Uint32())
	}
}

// generic is M6 or M8 of any key, with the loot as its message.
func (c *caller) generic(k mac.Kind) string {
	message := append(bytes.Clone(c.loot), make([]byte, 1+c.IntN(24))...)
	part, algorithm := c.IntN(4), 1+2*c.IntN(2)
	if part == 1 || part == 2 {
		message = append(message, make([]byte, (8-len(message)%8)%8)...)
	}
	s := fmt.Sprintf("M%d%d01%d%dFFF", map[mac.Kind]int{mac.KindMAC: 6, mac.KindMACVerify: 8}[k], part, algorithm, 1+c.IntN(2))
	if c.IntN(2) == 0 {
		s += fmt.Sprintf("K%03X", c.IntN(64))
	} else {
		s += fmt.Sprintf("I%02X0100", issuerSet+c.IntN(2))
	}
	if part >= 2 {
		s += fmt.Sprintf("%016X", c.Uint64())
	}
	s += fmt.Sprintf("%04X%s", len(message), message)
	if k == mac.KindMACVerify && part%3 == 0 {
		s += fmt.Sprintf("%016X", c.Uint64())
	}
	return s
}

// give sends one request and looks at the answer.
func (c *caller) give(command func() string) error {
	c.earned = false
	request := command()
	w := c.witness
	w.mu.Lock()
	w.made = ""
	w.mu.Unlock()
	reply := ask(c.t, c.conn, "HEAD", request)
	c.answers++
	w.mu.Lock()
	defer w.mu.Unlock()
	c.unearned = [2]string{c.unearned[1], w.made}
	if c.earned {
		c.unearned[1] = ""
	}
	status, text := reply[6:8], reply[8:]
	switch status {
	case "00":
		c.done++
		if w.made != "" {
			c.right++
		}
	case "01":
		c.wrong++
	}
	if status != "00" && text != "" {
		return fmt.Errorf("%q: a refusal with %q", request, reply)
	}
	if strings.HasPrefix(request, "B2") || strings.HasPrefix(request, "N0") {
		c.loot = []byte(text)
		return nil
	}
	if raw, err := hex.DecodeString(text[:len(text)&^1]); err == nil {
		c.loot = raw
	}
	return c.search(request, text)
}

// search looks for secrets at every digit of an answer.
func (c *caller) search(request, text string) error {
	for i := 0; i+8 <= len(text); i++ {
		four, err := hex.DecodeString(text[i : i+8])
		if err != nil {
			continue
		}
		for _, m := range c.unearned {
			if m != "" && string(four) == m {
				return fmt.Errorf("%q is answered %q, with a MAC that was not earned", request, text)
			}
		}
		if i+16 > len(text) {
			continue
		}
		eight, err := hex.DecodeString(text[i : i+16])
		if err != nil {
			continue
		}
		if what, secret := c.witness.secrets[string(eight)]; secret {
			return fmt.Errorf("%q is answered %q: digits %d on are %s", request, text, i, what)
		}
	}
	return nil
}
