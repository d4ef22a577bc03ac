package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"pbochsm/cmd/internal/cmdline"
)

func dataFlag() cli.Flag {
	return &cli.StringFlag{Name: "data", Usage: "directory of the keystore", TakesFile: true, EnvVars: []string{"PBOCHSM_DATA"}}
}

func passphraseFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "passphrase-file", TakesFile: true, EnvVars: []string{"PBOCHSM_PASSPHRASE_FILE"},
		Usage: "file with the pass-phrase in its first line; otherwise a terminal is asked",
	}
}

// storeFlags say where a keystore is: by themselves, or by the settings of the
// daemon that serves from it.
func storeFlags() []cli.Flag {
	return []cli.Flag{dataFlag(), passphraseFlag(), configFlag()}
}

func configFlag() cli.Flag {
	return &cli.StringFlag{Name: "config", TakesFile: true, Usage: "the daemon's YAML file: keystore, pass-phrase and tokens are taken from it"}
}

// readPassphrase reads the pass-phrase of file name, or asks the terminal. The
// caller clears it.
func readPassphrase(c *cli.Context, name, prompt string) ([]byte, error) {
	if name == "" {
		return askSecret(c, prompt)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("pass-phrase: %w", err)
	}
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		warn(c, "%s can be read by others than its owner", name)
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) == 0 {
		return nil, fmt.Errorf("pass-phrase: the first line of %s is empty", name)
	}
	return line, nil
}

// newPassphrase is readPassphrase for one to be set: a terminal is asked twice.
func newPassphrase(c *cli.Context, name string) ([]byte, error) {
	first, err := readPassphrase(c, name, "new pass-phrase: ")
	if err != nil || name != "" {
		return first, err
	}
	second, err := askSecret(c, "again: ")
	if err != nil {
		return nil, err
	}
	defer clear(second)
	if !bytes.Equal(first, second) {
		clear(first)
		return nil, errors.New("the two pass-phrases differ")
	}
	return first, nil
}

// askSecret asks the terminal on stdin, without echo.
func askSecret(c *cli.Context, prompt string) ([]byte, error) {
	fd, ok := terminal(c)
	if !ok {
		return nil, cmdline.Hint(errors.New("no pass-phrase, and no terminal to ask for it"), "use --passphrase-file FILE")
	}
	secret, err := readHidden(c, fd, prompt)
	if err == nil && len(secret) == 0 {
		err = errors.New("nothing was entered")
	}
	return secret, err
}

// readHidden reads a line without echo. An interrupt ends the program as
// always, but not before the terminal echoes again.
func readHidden(c *cli.Context, fd int, prompt string) ([]byte, error) {
	state, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	interrupt := make(chan os.Signal, 1)
	signal.Notify(interrupt, os.Interrupt)
	done := make(chan struct{})
	go func() {
		select {
		case <-done:
		case <-interrupt:
			_ = term.Restore(fd, state)
			signal.Reset(os.Interrupt)
			if self, err := os.FindProcess(os.Getpid()); err == nil {
				_ = self.Signal(os.Interrupt)
			}
		}
	}()
	defer close(done)
	defer signal.Stop(interrupt)
	fmt.Fprint(c.App.ErrWriter, prompt)
	line, err := term.ReadPassword(fd)
	fmt.Fprintln(c.App.ErrWriter)
	return line, err
}

// terminal gives the descriptor of stdin if a person sits at it.
func terminal(c *cli.Context) (int, bool) {
	f, ok := c.App.Reader.(*os.File)
	if !ok {
		return 0, false
	}
	fd := int(f.Fd())
	return fd, term.IsTerminal(fd)
}
