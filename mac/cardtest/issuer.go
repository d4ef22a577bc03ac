package cardtest

import (
	"slices"

	"pbochsm/keystore"
	"pbochsm/mac/reference"
)

// Issuer holds the issuer's keys that a card's own come from, one for each
// role. A key that is zero is one that its cards do not have.
type Issuer struct {
	Load, Unload, Purchase, TAC, Overdraft reference.Key
	PINUnblock, PINReload                  reference.Key
	Maintenance, AppBlock, AppUnblock      reference.Key
	CardControl, KeyControl                reference.Key
}

// roles are the roles that a purse card has keys for.
var roles = []keystore.Usage{
	keystore.UsageLoad, keystore.UsageUnload, keystore.UsagePurchase, keystore.UsageTAC, keystore.UsageOverdraft,
	keystore.UsagePINUnblock, keystore.UsagePINReload,
	keystore.UsageMaintenance, keystore.UsageAppBlock, keystore.UsageAppUnblock,
	keystore.UsageCardControl, keystore.UsageKeyControl,
}

// Usages lists the roles that a card has keys for.
func Usages() []keystore.Usage { return slices.Clone(roles) }

// Key is the key of a role; nil for one that is not among Usages.
func (i *Issuer) Key(u keystore.Usage) *reference.Key {
	switch u {
	case keystore.UsageLoad:
		return &i.Load
	case keystore.UsageUnload:
		return &i.Unload
	case keystore.UsagePurchase:
		return &i.Purchase
	case keystore.UsageTAC:
		return &i.TAC
	case keystore.UsageOverdraft:
		return &i.Overdraft
	case keystore.UsagePINUnblock:
		return &i.PINUnblock
	case keystore.UsagePINReload:
		return &i.PINReload
	case keystore.UsageMaintenance:
		return &i.Maintenance
	case keystore.UsageAppBlock:
		return &i.AppBlock
	case keystore.UsageAppUnblock:
		return &i.AppUnblock
	case keystore.UsageCardControl:
		return &i.CardControl
	case keystore.UsageKeyControl:
		return &i.KeyControl
	}
	return nil
}
