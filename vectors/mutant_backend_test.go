package vectors_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/reference"
	"pbochsm/vectors"
)

// A badBackend makes one mistake in the arithmetic and leaves the rest to the
// reference.
type badBackend func(key reference.Key, c *mac.Chain) (reference.Key, error)

func (bad badBackend) Run(_ context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
	for i := range chains {
		c := chains[i] // the mistake stays in the copy
		key, err := bad(reference.Key(*keys.Secret(c.Key)), &c)
		chains[i].Err = err
		for m, blocks := range reference.Run(keys.Key(c.Key).Cipher, key, &c).Blocks {
			if len(blocks) > 0 {
				chains[i].MAC[m] = [8]byte(blocks[len(blocks)-1])
			}
		}
	}
	return nil
}

// slip is a mistake of the arithmetic, by which a right claim is refused.
func slip(t *testing.T, name, id string, b badBackend) mistake {
	t.Helper()
	return mistake{name: name, id: id, says: "verification failed", hsm: engine(t, b, vectors.Keys())}
}

func keyArithmeticMistakes(t *testing.T) []mistake {
	return []mistake{
		slip(t, "no complement half", "load/level-1", func(key reference.Key, c *mac.Chain) (reference.Key, error) {
			for _, f := range c.Factors[:c.Levels] {
				half := key.Encrypt(f)
				key = reference.Key(append(half[:], half[:]...))
			}
			c.Levels = 0
			return key, nil
		}),
		slip(t, "factors from the card outwards", "unload/level-2", func(key reference.Key, c *mac.Chain) (reference.Key, error) {
			slices.Reverse(c.Factors[:c.Levels])
			return key, nil
		}),
		slip(t, "one level at most", "purchase-mac2/level-2", func(key reference.Key, c *mac.Chain) (reference.Key, error) {
			c.Levels = min(c.Levels, 1)
			return key, nil
		}),
	}
}

func macArithmeticMistakes(t *testing.T) []mistake {
	return []mistake{
		slip(t, "session key without 80", "load/level-0", func(key reference.Key, c *mac.Chain) (reference.Key, error) {
			if c.Data[6] == 0x80 {
				c.Data[6] = 0
			}
			return key, nil
		}),
		slip(t, "no padding of whole blocks", "load-ep-robur-tac", func(key reference.Key, c *mac.Chain) (reference.Key, error) {
			m := &c.Message[0]
			if m.Blocks > 1 && m.Data[8*(m.Blocks-1)] == 0x80 {
				m.Blocks--
			}
			return key, nil
		}),
		slip(t, "TAC key not folded", "load-ep-changsha-metro-tac", func(key reference.Key, c *mac.Chain) (reference.Key, error) {
			if c.Final == mac.FinalTAC {
				key, c.Levels = card(key, c), 0
				clear(key[8:])
			}
			return key, nil
		}),
		{
			name: "refuses weak keys", id: "load-tac/weak-key", says: "want accept, got \"weak\"",
			hsm: engine(t, badBackend(func(key reference.Key, _ *mac.Chain) (reference.Key, error) {
				if left, right := key.Halves(); left == right {
					return key, errors.New("weak")
				}
				return key, nil
			}), vectors.Keys()),
		},
	}
}

func card(key reference.Key, c *mac.Chain) reference.Key {
	for _, f := range c.Factors[:c.Levels] {
		key = key.Diversify(f)
	}
	return key
}
