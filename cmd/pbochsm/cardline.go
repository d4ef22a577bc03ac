package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"reflect"
	"strings"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
	"pbochsm/mac/cardtest"
	"pbochsm/mac/cardtest/apdu"
)

// A deckCard is a card and the file that keeps its memory.
type deckCard struct {
	purse *cardtest.Card
	card  *apdu.Card
	file  string // "": its memory ends with the process
	kept  cardtest.State
}

// recall gives the card the memory of its file, and tells whether there was
// one.
func (d *deckCard) recall() (found bool, err error) {
	if d.file == "" {
		return false, nil
	}
	text, err := os.ReadFile(d.file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(text, &d.kept); err != nil {
		return false, fmt.Errorf("%s is not the memory of a card: %w", d.file, err)
	}
	return true, d.purse.Restore(d.kept)
}

// keep writes the memory if it has changed. The file is replaced as a whole,
// as a card changes as a whole.
func (d *deckCard) keep() error {
	now := d.purse.State()
	if d.file == "" || reflect.DeepEqual(now, d.kept) {
		return nil
	}
	text, err := json.Marshal(now)
	if err != nil {
		return err
	}
	temp := d.file + ".tmp"
	if err := os.WriteFile(temp, text, 0o600); err != nil {
		return err
	}
	d.kept = now
	return os.Rename(temp, d.file)
}

// transmit gives the card one command and keeps what it changed, torn or not.
func (d *deckCard) transmit(command []byte) ([]byte, error) {
	answer, err := d.card.Transmit(command)
	return answer, errors.Join(err, d.keep())
}

// say carries out one line and gives the line that answers it; "" answers
// nothing.
func (d *deckCard) say(line string) (string, error) {
	line, _, _ = strings.Cut(line, "#")
	switch words := strings.Fields(line); {
	case len(words) == 0:
		return "", nil
	case len(words) == 1 && words[0] == "reset":
		d.card.Reset()
		return fmt.Sprintf("%X", apdu.ATR()), nil
	case len(words) == 2 && words[0] == "tear":
		return "", d.tearNext(words[1])
	default:
		command, err := hex.DecodeString(strings.Join(words, ""))
		if err != nil {
			return "", cmdline.Usagef("%q is no APDU: want hexadecimal digits", strings.TrimSpace(line))
		}
		answer, err := d.transmit(command)
		if errors.Is(err, cardtest.ErrTorn) {
			return "torn", nil
		}
		return fmt.Sprintf("%X", answer), err
	}
}

func (d *deckCard) tearNext(when string) error {
	switch when {
	case "before":
		d.purse.TearNext(cardtest.TearBefore)
	case "after":
		d.purse.TearNext(cardtest.TearAfter)
	default:
		return cmdline.Usagef("tear %q: want before or after", when)
	}
	return nil
}

// converse answers lines until there are no more.
func (d *deckCard) converse(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		answer, err := d.say(lines.Text())
		if err != nil {
			return err
		}
		if answer == "" {
			continue
		}
		if _, err := fmt.Fprintln(out, answer); err != nil {
			return err
		}
	}
	return lines.Err()
}

func cardAPDU(c *cli.Context) error {
	d, err := openCard(c)
	if err != nil {
		return err
	}
	in := c.App.Reader
	if c.Args().Present() {
		in = strings.NewReader(strings.Join(c.Args().Slice(), "\n"))
	}
	return d.converse(in, c.App.Writer)
}

func cardServe(c *cli.Context) error {
	addr := c.String("listen")
	local, err := isLoopback(addr)
	if err != nil {
		return cmdline.Usage(err)
	}
	if !local {
		return cmdline.Usagef("%s is not a loopback address: a simulated card stays on this machine", addr)
	}
	d, err := openCard(c)
	if err != nil {
		return err
	}
	ctx, stop := untilStopped(c)
	defer stop()
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	closed := closeWith(ctx, l)
	defer closed()
	fmt.Fprintf(c.App.Writer, "listening %s\n", l.Addr())
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		done := closeWith(ctx, conn)
		d.card.Reset()
		if err := d.converse(conn, conn); err != nil && ctx.Err() == nil {
			fmt.Fprintf(conn, "error: %s\n", oneLine(err.Error()))
			warn(c, "%v", err)
		}
		done()
	}
}
