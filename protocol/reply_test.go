package protocol_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"pbochsm/mac"
	"pbochsm/protocol"
)

// fake is a server that is none.
func fake(t *testing.T, serve func(net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	return l.Addr().String()
}

// A reply that does not belong to the request is never taken for its answer.
func TestWrongReplies(t *testing.T) {
	const ok = "\x00\x00\x00\x00WB003A845BF0"
	for _, tc := range []struct {
		name, reply string
		want        error
	}{
		{"right", ok, nil},
		{"header of another", "\x00\x00\x00\x01" + ok[4:], protocol.ErrReply},
		{"code of another", strings.Replace(ok, "WB", "WD", 1), protocol.ErrReply},
		{"too short for a status", ok[:7], protocol.ErrReply},
		{"status in letters", strings.Replace(ok, "WB00", "WB0x", 1), protocol.ErrReply},
		{"no MAC2", ok[:8], protocol.ErrReply},
		{"half a MAC2", ok[:12], protocol.ErrReply},
		{"MAC2 in no digits", strings.Replace(ok, "3A84", "3G84", 1), protocol.ErrReply},
		{"more than MAC2", ok + "0", protocol.ErrReply},
		{"MAC2 after a refusal", strings.Replace(ok, "WB00", "WB01", 1), protocol.ErrReply},
		{"refusal", ok[:6] + "01", mac.ErrMAC1},
		{"framing error", ok[:4] + "ZZ51", protocol.ErrHeader},
	} {
		t.Run(tc.name, func(t *testing.T) {
			client := newClient(t, fake(t, func(c net.Conn) {
				if _, err := nextFrame(c); err == nil {
					_, _ = c.Write(frame(tc.reply))
				}
				_, _ = io.Copy(io.Discard, c)
			}))
			ops := []mac.Op{mac.Load{}.Op()}
			_ = client.Do(t.Context(), ops)
			if !errors.Is(ops[0].Err, tc.want) {
				t.Errorf("error %v, want %v", ops[0].Err, tc.want)
			}
			if tc.want != nil && ops[0].Answer != [4]byte{} {
				t.Errorf("answer %X from a wrong reply", ops[0].Answer)
			}
		})
	}
}

// If the connection breaks in between, what was answered stays answered.
func TestConnectionBreaksInBetween(t *testing.T) {
	client := newClient(t, fake(t, func(c net.Conn) {
		f, err := nextFrame(c)
		if err == nil {
			_, _ = c.Write(frame(f[:4], "WB0011223344"))
		}
	}))
	ops := []mac.Op{mac.Load{}.Op(), mac.Load{}.Op()}
	if err := client.Do(t.Context(), ops); err != nil {
		t.Errorf("Do = %v, though one is answered", err)
	}
	var transport *protocol.TransportError
	if ops[0].Err != nil || !errors.As(ops[1].Err, &transport) {
		t.Errorf("errors %v, %v", ops[0].Err, ops[1].Err)
	}
}

// The same for the commands that have answers of their own.
func TestWrongRepliesOfCommonCommands(t *testing.T) {
	for _, tc := range []struct {
		name, reply string // of a server without headers
		ask         func(*protocol.Client) error
	}{
		{"diagnostics cut short", "ND0026860400000000000007-E00", diagnose},
		{"diagnostics without digits", "ND00x6860400000000000007-E000", diagnose},
		{"status cut short", "NP0001990007", condition},
		{"status without digits", "NP00x1990007-E00000000", condition},
		{"status of no known size", "NP0091990007-E00000000", condition},
		{"too few random bytes", "N100abc", func(c *protocol.Client) error {
			_, err := c.Random(context.Background(), 4)
			return err
		}},
		{"key check value of no digits", "BV0012345x", check},
		{"key check value cut short", "BV001234", check},
		{"key check value too long", "BV0012345678", check},
	} {
		t.Run(tc.name, func(t *testing.T) {
			client := newClient(t, fake(t, func(c net.Conn) {
				if _, err := nextFrame(c); err == nil {
					_, _ = c.Write(frame(tc.reply))
				}
				_, _ = io.Copy(io.Discard, c)
			}))
			client.Format = protocol.Format{Header: 0, Limit: 1000}
			if err := tc.ask(client); !errors.Is(err, protocol.ErrReply) {
				t.Errorf("error %v, want ErrReply", err)
			}
		})
	}
}

func diagnose(c *protocol.Client) error {
	_, err := c.Diagnostics(context.Background())
	return err
}

func condition(c *protocol.Client) error {
	_, err := c.Status(context.Background())
	return err
}

func check(c *protocol.Client) error {
	_, err := c.KCV(context.Background(), 1)
	return err
}
