package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/urfave/cli/v2"

	"pbochsm/mac/cardtest"
	"pbochsm/mac/cardtest/apdu"
)

// What a virtual reader says besides APDUs: one byte each. Messages have their
// length before them, two bytes, big-endian.
const (
	vpcdOff   = 0
	vpcdOn    = 1
	vpcdReset = 2
	vpcdATR   = 4
)

// vpcdRetry is how long a card waits for a reader that is not there.
const vpcdRetry = time.Second

func cardVPCD(c *cli.Context) error {
	d, err := openCard(c)
	if err != nil {
		return err
	}
	ctx, stop := untilStopped(c)
	defer stop()
	waiting := false
	for ctx.Err() == nil {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.String("addr"))
		if err != nil {
			if !waiting {
				warn(c, "no reader at %s yet: is pcscd running, with vsmartcard-vpcd installed?", c.String("addr"))
			}
			waiting = true
			select {
			case <-ctx.Done():
			case <-time.After(vpcdRetry):
			}
			continue
		}
		waiting = false
		fmt.Fprintf(c.App.Writer, "in the reader at %s\n", c.String("addr"))
		done := closeWith(ctx, conn)
		err = d.beInReader(conn)
		done()
		if !errors.Is(err, io.EOF) && ctx.Err() == nil {
			warn(c, "taken out of the reader: %v", err)
		}
	}
	return nil
}

// beInReader answers a virtual reader until it goes away, and tells why.
func (d *deckCard) beInReader(conn net.Conn) error {
	in := bufio.NewReader(conn)
	for {
		var size [2]byte
		if _, err := io.ReadFull(in, size[:]); err != nil {
			return err
		}
		message := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(in, message); err != nil {
			return err
		}
		answer, err := d.hear(message)
		if err != nil {
			return err
		}
		if answer == nil {
			continue
		}
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return err
		}
	}
}

// hear carries out one message of a reader. A torn card leaves it.
func (d *deckCard) hear(message []byte) ([]byte, error) {
	if len(message) != 1 {
		answer, err := d.transmit(message)
		if errors.Is(err, cardtest.ErrTorn) {
			return nil, err
		}
		return answer, err
	}
	switch message[0] {
	case vpcdOff, vpcdOn, vpcdReset:
		d.card.Reset()
	case vpcdATR:
		return apdu.ATR(), nil
	default:
		return nil, fmt.Errorf("the reader says %d, which is no message of vpcd", message[0])
	}
	return nil, nil
}

// closeWith closes a connection or listener when ctx ends, or at done.
func closeWith(ctx context.Context, it io.Closer) (done func()) {
	stop := context.AfterFunc(ctx, func() { _ = it.Close() })
	return func() {
		stop()
		_ = it.Close()
	}
}
