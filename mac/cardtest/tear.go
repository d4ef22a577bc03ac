package cardtest

import "errors"

// ErrTorn is the lack of an answer: the card lost its power. What the reader
// then knows is nothing; see [Tear] for what the card knows.
var ErrTorn = errors.New("cardtest: the card was torn from the reader")

// A Tear is a loss of power at a step of the next command.
type Tear uint8

// Where a card can be torn.
const (
	TearNone   Tear = iota
	TearBefore      // before the command took effect: nothing has changed
	TearAfter       // after it took effect: only the answer is lost
)

// TearNext has the next command torn. The one after it finds the card back in
// the field, without a session.
func (c *Card) TearNext(t Tear) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tear = t
}

// Reset takes the power away between two commands.
func (c *Card) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session, c.challenge = nil, nil
}

// command runs one command of the card, torn where that was asked for.
func (c *Card) command(run func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tear
	c.tear = TearNone
	if t == TearBefore {
		c.session, c.challenge = nil, nil
		return ErrTorn
	}
	err := run()
	if t == TearAfter {
		c.session, c.challenge = nil, nil
		return ErrTorn
	}
	return err
}
