package protocol

import (
	"context"
	"fmt"
)

// A TokenState is how one token of the daemon is.
type TokenState struct {
	Name    string // as the daemon's settings have it
	Serving bool
	TAC     string // the way in which TAC keys are folded
}

// String says the state in words.
func (s TokenState) String() string {
	state := "serves"
	if !s.Serving {
		state = "DOWN"
	}
	return fmt.Sprintf("token %s %s, TAC keys by way %s", s.Name, state, s.TAC)
}

const (
	maxTokens    = 99 // that two digits can count
	maxTokenWord = 99 // characters of a name
)

// tokenStates is NO in its mode 90.
func tokenStates(r *responder, out []byte) ([]byte, error) {
	var states []TokenState
	if r.tokens != nil {
		states = r.tokens()
	}
	states = states[:min(len(states), maxTokens)]
	out = appendNumber(out, len(states), 10, 2)
	for _, s := range states {
		serving := 0
		if s.Serving {
			serving = 1
		}
		out = appendNumber(out, serving, 10, 1)
		out = appendWord(out, s.Name)
		out = appendWord(out, s.TAC)
	}
	return out, nil
}

// appendWord appends a text with its length before it.
func appendWord(out []byte, word string) []byte {
	word = word[:min(len(word), maxTokenWord)]
	return append(appendNumber(out, len(word), 10, 2), word...)
}

// word reads what appendWord wrote.
func (s *scanner) word() (string, bool) {
	n, ok := s.number(10, 2)
	if !ok || n > len(*s) {
		return "", false
	}
	word := string((*s)[:n])
	*s = (*s)[n:]
	return word, true
}

// Tokens asks how the server's tokens are; none, if all its keys are in its
// file.
func (c *Client) Tokens(ctx context.Context) ([]TokenState, error) {
	body, err := c.ask(ctx, "NO", appendNumber(nil, modeTokens, 10, 2))
	if err != nil {
		return nil, err
	}
	s := scanner(body)
	n, ok := s.number(10, 2)
	states := make([]TokenState, n)
	for i := range states {
		serving, known := s.number(10, 1)
		name, named := s.word()
		tac, told := s.word()
		ok = ok && known && named && told
		states[i] = TokenState{name, serving == 1, tac}
	}
	if !ok || len(s) > 0 {
		return nil, fmt.Errorf("%w: states of tokens", ErrReply)
	}
	return states, nil
}
