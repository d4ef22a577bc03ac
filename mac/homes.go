package mac

import (
	"context"
	"fmt"
	"sync"

	"pbochsm/keystore"
)

// Homes is the backend of keys that live in several places: it gives each chain
// to the backend that has its key, and lets none of them wait for another. A
// token that does not answer fails its own chains, with ErrUnavailable, and no
// others. It is safe for concurrent use if its backends are.
type Homes struct {
	File   Backend            // of the keys in the sealed file
	Tokens map[string]Backend // of the others, by keystore.Home.Token

	parts sync.Pool
}

var _ Backend = (*Homes)(nil)

// A part is the chains of one home, copied out of a mixed batch.
type part struct {
	token  string // "" is the file
	chains []Chain
	from   []int // where each came from
}

// Run has every chain run where its key is. A batch of one home, which most
// are, is handed through as it is.
func (h *Homes) Run(ctx context.Context, keys *keystore.Snapshot, chains []Chain) error {
	first, mixed := h.survey(keys, chains)
	switch {
	case mixed:
		h.split(ctx, keys, chains)
	case first == "":
		return h.File.Run(ctx, keys, chains)
	default:
		h.inToken(ctx, first, keys, chains)
	}
	return nil
}

// survey gives the home of the first chain, and tells whether there are others.
func (h *Homes) survey(keys *keystore.Snapshot, chains []Chain) (first string, mixed bool) {
	for i := range chains {
		token := keys.Key(chains[i].Key).Home.Token
		if i == 0 {
			first = token
		}
		if token != first {
			return first, true
		}
	}
	return first, false
}

// inToken runs chains in a token. That it can run none is an answer to each.
func (h *Homes) inToken(ctx context.Context, token string, keys *keystore.Snapshot, chains []Chain) {
	b, ok := h.Tokens[token]
	if !ok {
		refuse(chains, fmt.Errorf("%w: no token %q is configured", ErrUnavailable, token))
		return
	}
	if err := b.Run(ctx, keys, chains); err != nil {
		refuse(chains, err)
	}
}

// split runs a mixed batch, the homes side by side. The results go back in the
// order that the chains came in.
func (h *Homes) split(ctx context.Context, keys *keystore.Snapshot, chains []Chain) {
	parts := map[string]*part{}
	for i := range chains {
		token := keys.Key(chains[i].Key).Home.Token
		p := parts[token]
		if p == nil {
			p = h.part(token)
			parts[token] = p
		}
		p.chains, p.from = append(p.chains, chains[i]), append(p.from, i)
	}
	var wait sync.WaitGroup
	for _, p := range parts {
		if p.token != "" {
			wait.Go(func() { h.inToken(ctx, p.token, keys, p.chains) })
		}
	}
	if p := parts[""]; p != nil {
		if err := h.File.Run(ctx, keys, p.chains); err != nil {
			refuse(p.chains, err)
		}
	}
	wait.Wait()
	for _, p := range parts {
		for i := range p.chains {
			chains[p.from[i]] = p.chains[i]
		}
		clear(p.chains)
		h.parts.Put(p)
	}
}

func (h *Homes) part(token string) *part {
	p, _ := h.parts.Get().(*part)
	if p == nil {
		p = new(part)
	}
	p.token, p.chains, p.from = token, p.chains[:0], p.from[:0]
	return p
}

// refuse gives every chain the same error, and no MAC.
func refuse(chains []Chain, err error) {
	for i := range chains {
		chains[i].Err = err
		chains[i].MAC = Chain{}.MAC
	}
}
