package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"pbochsm/keystore"
)

// maxComponents bounds a ceremony; a longer input is not one.
const maxComponents = 16

// A ceremony reads the components of one key, shows the check value of each,
// and gives them back when their last is in.
type ceremony struct {
	c          *cli.Context
	cipher     keystore.Cipher
	production bool
	components []keystore.Secret
}

// readComponents reads components from the terminal or from stdin. The caller
// clears them, also after an error.
func readComponents(c *cli.Context, store *keystore.Store, cipher keystore.Cipher) ([]keystore.Secret, error) {
	snapshot, err := store.Snapshot()
	if err != nil {
		return nil, err
	}
	defer snapshot.Release()
	r := ceremony{
		c: c, cipher: cipher, production: snapshot.Mode().Strict(),
		components: make([]keystore.Secret, 0, maxComponents),
	}
	if fd, ok := terminal(c); ok {
		err = r.ask(fd)
	} else {
		err = r.read()
	}
	if err == nil && len(r.components) == 0 {
		err = errors.New("no component on stdin")
	}
	return r.components, err
}

// read takes components from stdin, one a line.
func (r *ceremony) read() error {
	buffer := make([]byte, 4096)
	defer clear(buffer)
	lines := bufio.NewScanner(r.c.App.Reader)
	lines.Buffer(buffer, len(buffer))
	for lines.Scan() {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		if err := r.add(line); err != nil {
			return err
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("component %d: %w", len(r.components)+1, keystore.ErrDigits)
	}
	return lines.Err()
}

// ask has each custodian type a component, without echo, and compare its check
// value. What is mistyped is asked for again; an empty line ends the entry.
func (r *ceremony) ask(fd int) error {
	for {
		n := len(r.components) + 1
		line, err := readHidden(r.c, fd, fmt.Sprintf("component %d (empty line to end): ", n))
		if err != nil || len(bytes.TrimSpace(line)) == 0 {
			return err
		}
		err = r.add(bytes.TrimSpace(line))
		clear(line)
		if err == nil && r.production {
			err = keystore.CheckComponent(r.components)
		}
		if err == nil && r.kept() {
			continue
		}
		if err != nil {
			fmt.Fprintf(r.c.App.ErrWriter, "%s: enter it again\n", oneLine(err.Error()))
		}
		clear(r.components[n-1 : cap(r.components)])
		r.components = r.components[:n-1]
	}
}

// kept asks whether the check value is the one that came with the component.
func (r *ceremony) kept() bool {
	fmt.Fprint(r.c.App.ErrWriter, "is that the check value in the envelope? [Y/n] ")
	var answer string
	_, _ = fmt.Fscanln(r.c.App.Reader, &answer)
	return answer == "" || strings.EqualFold(answer, "y") || strings.EqualFold(answer, "yes")
}

// add takes one component and shows its check value.
func (r *ceremony) add(digits []byte) error {
	n := len(r.components) + 1
	if n > maxComponents {
		return fmt.Errorf("more than %d components", maxComponents)
	}
	component, err := keystore.ParseSecret(digits)
	if err != nil {
		return fmt.Errorf("component %d: %w", n, err)
	}
	r.components = append(r.components, component)
	kcv, err := component.KCV(r.cipher)
	clear(component[:])
	if err != nil {
		return err
	}
	fmt.Fprintf(r.c.App.ErrWriter, "component %d: check value %s\n", n, kcv)
	return nil
}
