package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"pbochsm/mac"
)

// cardPINFlag names the file of a PIN, which like every secret is no flag itself.
func cardPINFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "pin-file", TakesFile: true,
		Usage: fmt.Sprintf("%s, %d to %d hex digits, in the first line of this `FILE`; - is stdin", mac.PIN.Chinese(), 2*mac.PIN.Least(), 2*mac.PIN.Width()),
	}
}

// readCardPIN fills in the PIN of op.
func readCardPIN(c *cli.Context, op *mac.Op) error {
	name := c.String("pin-file")
	if name == "" {
		return errors.New("--pin-file is missing")
	}
	from := c.App.Reader
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		from = f
	}
	text, err := io.ReadAll(io.LimitReader(from, 1024))
	defer clear(text)
	if err != nil {
		return err
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	line = bytes.TrimSpace(line)
	var pin [8]byte
	defer clear(pin[:])
	n := hex.DecodedLen(len(line))
	if n < mac.PIN.Least() || n > len(pin) {
		return fmt.Errorf("--pin-file: want %d to %d hexadecimal digits", 2*mac.PIN.Least(), 2*mac.PIN.Width())
	}
	if _, err := hex.Decode(pin[:], line); err != nil {
		return errors.New("--pin-file: not hexadecimal digits")
	}
	mac.PIN.SetLen(op, n)
	copy(mac.PIN.Bytes(op), pin[:n])
	return nil
}
