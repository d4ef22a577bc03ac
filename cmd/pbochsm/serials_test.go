package main

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/protocol"
)

var serialKills = flag.Int("serials.kills", 5, "how often TestSerialsSurviveKill kills the daemon")

// A terminal's serial comes once, however often the daemon is killed while it
// gives them out; and MAC1 is that of a purchase with the serial.
func TestSerialsSurviveKill(t *testing.T) {
	keys, err := testKeys()
	if err != nil {
		t.Fatal(err)
	}
	software := mac.NewEngine(keys, reference.Backend{})
	file := filepath.Join(t.TempDir(), "serials")
	random := rand.New(rand.NewPCG(7, 2))
	var mu sync.Mutex
	given := map[uint64]bool{} // terminal and serial
	for range *serialKills {
		cmd, addr := listening(t, "serve", "--dev", "--listen", "127.0.0.1:0", "--log-level", "error", "--terminal-serials", file)
		var clients sync.WaitGroup
		for id := range 6 {
			client := &protocol.Client{Addr: addr, Conns: 1}
			clients.Go(func() {
				defer client.Close()
				for {
					op := terminalPurchase(byte(id % 3))
					ops := []mac.Op{op}
					if client.Do(t.Context(), ops) != nil || ops[0].Err != nil {
						return
					}
					number := binary.BigEndian.Uint32(mac.TerminalSerial.Bytes(&ops[0]))
					if err := checkMAC1(software, ops[0]); err != nil {
						t.Errorf("serial %d: %v", number, err)
						return
					}
					mu.Lock()
					if key := uint64(id%3)<<32 | uint64(number); given[key] {
						t.Errorf("terminal %d gets serial %d a second time", id%3, number)
					} else {
						given[key] = true
					}
					mu.Unlock()
				}
			})
		}
		time.Sleep(time.Duration(50+random.IntN(300)) * time.Millisecond)
		if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		clients.Wait()
		_ = cmd.Wait()
	}
	if len(given) < 10**serialKills {
		t.Errorf("only %d serials were given out", len(given))
	}
}

func terminalPurchase(terminal byte) mac.Op {
	op := mac.Op{Kind: mac.KindTerminalPurchase, Key: mac.KeyID{Set: 1, Version: 1}}
	copy(mac.Random.Bytes(&op), []byte{0x11, 0x22, 0x33, 0x44})
	mac.Amount.Bytes(&op)[3] = 100
	mac.Type.Bytes(&op)[0] = byte(mac.TypePurchaseEP)
	mac.Terminal.Bytes(&op)[0] = terminal
	copy(mac.Date.Bytes(&op), []byte{0x20, 0x24, 0x02, 0x29})
	return op
}

// checkMAC1 holds an answer against that of a purchase with the same serial.
func checkMAC1(hsm mac.HSM, got mac.Op) error {
	want := got
	want.Kind, want.Answer = mac.KindPurchase, [4]byte{}
	ops := []mac.Op{want}
	if err := errors.Join(hsm.Do(context.Background(), ops), ops[0].Err); err != nil {
		return err
	}
	if ops[0].Answer != got.Answer {
		return errors.New("MAC1 is not that of a purchase with the serial")
	}
	return nil
}
