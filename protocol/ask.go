package protocol

import (
	"context"
	"fmt"

	"pbochsm/keystore"
)

// ask sends one request of a common command and gives what follows the status
// 00.
func (c *Client) ask(ctx context.Context, code string, fields []byte) (body []byte, err error) {
	sequence := c.sequence.Add(1) - 1
	var refused error
	err = c.with(ctx, func(l *link) (int, error) {
		if n := l.format.Header + commandSize + len(fields); n > l.format.Limit {
			refused = fmt.Errorf("protocol: a frame of %d bytes: %w", n, ErrLength)
			return 1, nil
		}
		l.out = l.format.appendSequence(append(l.out[:0], 0, 0), sequence)
		l.out = append(append(l.out, code...), fields...)
		l.out = closeFrame(l.out, 0)
		if err := l.write(); err != nil {
			return 0, err
		}
		s, rest, err := l.reply(code, sequence)
		if err != nil {
			return 0, err
		}
		if s != 0 {
			refused = StatusError(s)
		}
		body = append([]byte(nil), rest...)
		return 1, nil
	})
	if err == nil {
		err = refused
	}
	return body, err
}

// Echo has the server send data back, and gives what came.
func (c *Client) Echo(ctx context.Context, data []byte) ([]byte, error) {
	fields := appendNumber(nil, len(data), 16, 4)
	return c.ask(ctx, "B2", append(fields, data...))
}

// Random gives n random bytes of the server, 1 to 999.
func (c *Client) Random(ctx context.Context, n int) ([]byte, error) {
	if n < 1 || n > 999 {
		return nil, malformed("count")
	}
	body, err := c.ask(ctx, "N0", appendNumber(nil, n, 10, 3))
	if err == nil && len(body) != n {
		err = fmt.Errorf("%w: %d random bytes for %d", ErrReply, len(body), n)
	}
	return body, err
}

// A Diagnosis is the answer to NC.
type Diagnosis struct {
	Check    keystore.KCV // of the storage master key
	Firmware string
}

// Diagnostics asks which storage master key and which firmware the server has.
func (c *Client) Diagnostics(ctx context.Context) (d Diagnosis, err error) {
	body, err := c.ask(ctx, "NC", nil)
	if err != nil {
		return d, err
	}
	if len(body) != wideKCV+firmwareLen {
		return d, fmt.Errorf("%w: diagnostics of %d bytes", ErrReply, len(body))
	}
	s := scanner(body)
	if !s.hex(d.Check[:]) {
		return d, fmt.Errorf("%w: check value", ErrReply)
	}
	d.Firmware = string(body[wideKCV:])
	return d, nil
}

// A Condition is the answer to NO.
type Condition struct {
	Buffer   int // bytes that a frame may have at least
	Sockets  int // connections at most, 99 for more
	Firmware string
}

// Status asks what the server can take.
func (c *Client) Status(ctx context.Context) (v Condition, err error) {
	body, err := c.ask(ctx, "NO", []byte("00"))
	if err != nil {
		return v, err
	}
	const fixed = 1 + 1 + 2
	if len(body) < fixed+firmwareLen {
		return v, fmt.Errorf("%w: status of %d bytes", ErrReply, len(body))
	}
	s := scanner(body)
	size, sized := s.number(10, 1)
	_, typed := s.number(10, 1)
	sockets, counted := s.number(10, 2)
	if !sized || !typed || !counted || size >= len(bufferKiB) {
		return v, fmt.Errorf("%w: status", ErrReply)
	}
	return Condition{Buffer: bufferKiB[size] << 10, Sockets: sockets, Firmware: string(s[:firmwareLen])}, nil
}

// KCV asks for the check value of the key at a place of the key table.
func (c *Client) KCV(ctx context.Context, index uint16) (v keystore.KCV, err error) {
	if index > 0xFFF {
		return v, keystore.ErrIndex
	}
	fields := appendNumber([]byte("FF1K"), int(index), 16, 3)
	body, err := c.ask(ctx, "BU", append(fields, ";FFF;001"...))
	if err != nil {
		return v, err
	}
	s := scanner(body)
	if !s.hex(v[:]) || len(s) > 0 {
		return keystore.KCV{}, fmt.Errorf("%w: check value", ErrReply)
	}
	return v, nil
}
