package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"pbochsm/cmd/internal/cmdline"
)

// maxPIN bounds a PIN, in bytes.
const maxPIN = 255

func pinFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "pin-source", TakesFile: true,
		Usage: "file with the token's user PIN in its first line, or - for the first line of stdin; otherwise a terminal is asked",
	}
}

// pinFile gives the path of a PIN source as RFC 7512 writes it: a path, or a
// URI of the scheme file. A command to run is none.
func pinFile(source string) (string, error) {
	if strings.HasPrefix(source, "|") {
		return "", cmdline.Usagef("PIN source: a command is not run; put the PIN into a file of the owner's alone")
	}
	rest, ok := strings.CutPrefix(source, "file:")
	if !ok {
		return source, nil
	}
	path, err := url.PathUnescape(strings.TrimPrefix(rest, "//"))
	if err != nil || path == "" || path[0] != '/' {
		return "", cmdline.Usagef("PIN source: file: must be followed by an absolute path")
	}
	return path, nil
}

// filePIN reads the PIN from its file at every login, so that nothing keeps it.
func filePIN(path string) func() ([]byte, error) {
	return func() ([]byte, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		pin, err := readLine(f)
		if err == nil && len(pin) == 0 {
			err = fmt.Errorf("the first line of %s is empty", path)
		}
		return pin, err
	}
}

// heldPIN gives copies of a PIN that was entered once, until done.
func heldPIN(pin []byte) (source func() ([]byte, error), done func()) {
	return func() ([]byte, error) { return bytes.Clone(pin), nil }, func() { clear(pin) }
}

// commandPIN is the PIN of one command: from its source, or asked for.
func commandPIN(c *cli.Context, source string) (pin func() ([]byte, error), done func(), err error) {
	var entered []byte
	switch source {
	case "":
		entered, err = askPIN(c)
	case "-":
		if entered, err = readLine(c.App.Reader); err == nil && len(entered) == 0 {
			err = errors.New("PIN: the first line of stdin is empty")
		}
	default:
		path, err := pinFile(source)
		if err != nil {
			return nil, nil, err
		}
		if othersMayRead(path) {
			warn(c, "%s can be read by others than its owner", path)
		}
		return filePIN(path), func() {}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	pin, done = heldPIN(entered)
	return pin, done, nil
}

func askPIN(c *cli.Context) ([]byte, error) {
	fd, ok := terminal(c)
	if !ok {
		return nil, cmdline.Hint(errors.New("no PIN, and no terminal to ask for it"), "use --pin-source FILE, or - for stdin")
	}
	pin, err := readHidden(c, fd, "PIN of the token: ")
	if err == nil && len(pin) == 0 {
		err = errors.New("nothing was entered")
	}
	return pin, err
}

func othersMayRead(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0
}

// readLine reads one line a byte at a time, so that what follows is left to
// others. The line may end with the input.
func readLine(r io.Reader) ([]byte, error) {
	line := make([]byte, 0, maxPIN+2)
	for len(line) < cap(line) {
		n, err := r.Read(line[len(line) : len(line)+1])
		switch {
		case n == 1 && line[:len(line)+1][len(line)] == '\n', errors.Is(err, io.EOF):
			return bytes.TrimSuffix(line, []byte("\r")), nil
		case err != nil:
			clear(line)
			return nil, err
		}
		line = line[:len(line)+n]
	}
	clear(line)
	return nil, fmt.Errorf("PIN: longer than %d bytes", maxPIN)
}
