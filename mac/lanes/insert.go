package lanes

import (
	"context"

	"pbochsm/keystore"
	"pbochsm/mac"
)

// insert writes the cards' keys that are part of the data of chains into them.
// The last level of a diversification is the encipherment of the factor and its
// complement, so the keys are made by chains that encipher. See [PBOC] 2.
func (b *Backend) insert(ctx context.Context, keys *keystore.Snapshot, chains []mac.Chain) error {
	var derived []mac.Chain
	var to [][]byte
	for i := range chains {
		c := &chains[i]
		if c.Script == nil || c.Script.Insert == nil || admit(keys, c) != nil {
			continue
		}
		place := c.Script.Data[c.Script.Insert.At:][:len(keystore.Secret{})]
		if c.Levels == 0 {
			copy(place, keys.Secret(c.Script.Insert.Key)[:])
			continue
		}
		derived, to = append(derived, lastLevel(c)), append(to, place)
	}
	if len(derived) == 0 {
		return nil
	}
	defer func() {
		for i := range derived {
			clear(derived[i].Script.Data)
		}
	}()
	if err := b.Run(ctx, keys, derived); err != nil {
		return err
	}
	for i := range derived {
		copy(to[i], derived[i].Script.Data)
	}
	return nil
}

// lastLevel is the chain that makes the card's key of c.
func lastLevel(c *mac.Chain) mac.Chain {
	d := mac.Chain{
		Key: c.Script.Insert.Key, Levels: c.Levels - 1, Factors: c.Factors,
		Final: mac.FinalCard, Mode: mac.ModeEncipher,
	}
	f := c.Factors[c.Levels-1]
	data := append([]byte(nil), f[:]...)
	for _, x := range f {
		data = append(data, ^x)
	}
	d.Script = &mac.Script{Data: data}
	return d
}

// admitInsert refuses a key that cannot be written into the data of c.
func admitInsert(keys *keystore.Snapshot, c *mac.Chain) error {
	in := c.Script.Insert
	if int(in.Key) >= len(keys.Keys()) {
		return keystore.ErrNotFound
	}
	k := keys.Key(in.Key)
	switch {
	case k.Home.InToken():
		return mac.ErrNotGivenOut
	case k.Cipher != keystore.Cipher3DES && k.Cipher != keystore.CipherSM4,
		in.At < 0 || in.At+len(keystore.Secret{}) > len(c.Script.Data),
		int(c.Levels) > len(c.Factors):
		return mac.ErrUnsupported
	}
	return nil
}
