package main

import (
	"path/filepath"
	"strings"

	"pbochsm/cmd/onecard/internal/config"
	"pbochsm/cmd/onecard/internal/sim"
	"pbochsm/keystore"
	"pbochsm/mac/cardtest"
	"pbochsm/mac/reference"
	"pbochsm/vectors"
)

// The callers of the sandbox. Their keys are published here, and a production
// configuration refuses them.
var sandboxKeys = map[string]string{
	"APPM": "sandbox-APPM-7b1f0c5e93d2a846",
	"WEBM": "sandbox-WEBM-2e94d70a1c6b85f3",
	"TERM": "sandbox-TERM-c05a83e61f7d294b",
}

// What the sandbox begins with.
const (
	sandboxMerchant = "M0001"
	sandboxDept     = "D001"
	sandboxOperator = "OP01"
	sandboxPassword = "111111" // of the corporate card
	sandboxSet      = 0xA1     // the published keys with one level of diversification
	typePurse       = "01"     // CardType of a card whose purse (EP) is loaded
	typeDeposit     = "02"     // of one whose deposit (ED) is, and can be unloaded
)

// sandboxConfig is the configuration of "onecard dev".
func sandboxConfig(dir, daemon string) *config.Config {
	cfg := config.Default()
	cfg.Mode = "test"
	cfg.HSM.Addresses = []string{daemon}
	cfg.HSM.Connections = 64
	cfg.Database.SQLite = filepath.Join(dir, "ledger.db")
	cfg.Secret = config.NewSecret(strings.Repeat("5A", 32))
	cfg.Answers.Language = "en"
	cfg.Unload = true
	cfg.Budgets.PasswordPerHour = 20 // somebody is trying things out
	card := []string{"/tuxedo/now", "/recharcard/pwcheck", "/recharcard/supply", "/card/supply", "/group/supply", "/group/pwmodify", "/group/verify"}
	ext := []string{"/ext/query", "/ext/tac", "/ext/mac3"}
	cfg.Domains = []config.Domain{
		{
			Code: "APPM", Name: "demo app", Key: config.NewSecret(sandboxKeys["APPM"]), Orders: "strict",
			Endpoints: append([]string{"/tuxedo/alverify", "/tuxedo/mac1authal", "/tuxedo/now", "/ext/order", "/ext/cancel"}, ext...),
		},
		{
			Code: "WEBM", Name: "demo merchants", Key: config.NewSecret(sandboxKeys["WEBM"]), Orders: "strict", Merchants: []string{sandboxMerchant},
			Endpoints: append([]string{"/tuxedo/now", "/prepay/supply", "/prepay/accttranssupply"}, ext...),
		},
		{
			Code: "TERM", Name: "demo terminals", Key: config.NewSecret(sandboxKeys["TERM"]), Orders: "strict",
			Depts: []string{sandboxDept}, Operators: []string{sandboxOperator}, Endpoints: append(card, ext...),
		},
	}
	cfg.Schemes = []config.Scheme{
		{ID: 1, Name: "demo purse", Types: []string{typePurse}, Set: "A1", Wallet: "EP", MaxAmount: 100000, MaxBalance: 500000},
		{ID: 2, Name: "demo deposit", Types: []string{typeDeposit}, Set: "A1", Wallet: "ED", MaxAmount: 100000, MaxBalance: 500000},
	}
	return &cfg
}

// sandboxIssuer is the published keys of the demo scheme, and refuses any
// other: a sandbox that gave MAC2s for cards in the field would print money.
func sandboxIssuer() (i cardtest.Issuer, err error) {
	roles := map[keystore.Usage]*reference.Key{
		keystore.UsageLoad: &i.Load, keystore.UsageUnload: &i.Unload, keystore.UsagePurchase: &i.Purchase, keystore.UsageTAC: &i.TAC,
	}
	found := 0
	for _, e := range vectors.Keys() {
		if !e.Secret.Published() {
			return i, sim.ErrReal
		}
		to, ok := roles[e.Ref.Usage]
		if ok && e.Ref == (keystore.Ref{Set: sandboxSet, Usage: e.Ref.Usage, Version: 1}) && e.State == keystore.StateActive {
			*to = reference.Key(e.Secret)
			found++
		}
	}
	if found != len(roles) {
		return i, sim.ErrReal
	}
	return i, nil
}

// sandboxKinds are the cards that the sandbox simulates.
func sandboxKinds() ([]sim.CardKind, error) {
	issuer, err := sandboxIssuer()
	if err != nil {
		return nil, err
	}
	return []sim.CardKind{
		{Type: typePurse, Purse: cardtest.EP, Issuer: issuer, Set: sandboxSet, Version: 1},
		{Type: typeDeposit, Purse: cardtest.ED, Issuer: issuer, Set: sandboxSet, Version: 1},
	}, nil
}
