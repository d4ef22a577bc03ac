package protocol_test

import (
	"flag"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"pbochsm/mac"
)

var rounds = flag.Int("rounds", 6, "how often each connection of TestNoCrossTalk asks up to 1000 loads")

// 64 connections, pipelining, random disconnects: no answer goes astray.
func TestNoCrossTalk(t *testing.T) { onBothPaths(t, testNoCrossTalk) }

func testNoCrossTalk(t *testing.T, newServer maker) {
	s := newServer(t)
	s.HSM = hsmFunc(func(op *mac.Op) { copy(op.Answer[:], mac.Random.Bytes(op)) })
	addr := start(t, s)
	var clients sync.WaitGroup
	for id := range 64 {
		clients.Go(func() {
			for round := range *rounds {
				if err := crossTalk(addr, id, round&0xFF); err != nil {
					t.Errorf("connection %d, round %d: %v", id, round, err)
				}
			}
		})
	}
	clients.Wait()
}

// crossTalk pipelines loads whose random names the connection and the request,
// which the HSM gives back as MAC2, and breaks off after some.
func crossTalk(addr string, id, round int) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	depth := 1 + (id*37+round*101)%1000
	read := depth
	if round%3 == 0 {
		read = depth / 2 // and leave
	}
	var all []byte
	for i := range depth {
		random := fmt.Sprintf("%02X%02X%04X", id, round, i)
		all = append(all, frame(random[:4], strings.Replace(publishedLoad, "11223344", random, 1))...)
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = c.Write(all)
	}()
	defer func() {
		_ = c.Close()
		<-sent
	}()
	for i := range read {
		random := fmt.Sprintf("%02X%02X%04X", id, round, i)
		f, err := nextFrame(c)
		if want := random[:4] + "WB00" + random; err != nil || f != want {
			return fmt.Errorf("reply %d: %q, %v; want %q", i, f, err, want)
		}
	}
	return nil
}
