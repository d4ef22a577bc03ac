package config

// A Domain is one OrigionDomain 发起方应用域.
type Domain struct {
	Code        string            `yaml:"code"`
	Name        string            `yaml:"name"`
	Key         Secret            `yaml:"key"`
	KeyFile     string            `yaml:"key_file"`
	Signature   Secret            `yaml:"signature_key"`
	SignFile    string            `yaml:"signature_key_file"`
	ChannelKeys map[string]Secret `yaml:"channel_keys"`
	Endpoints   []string          `yaml:"endpoints"`
	Merchants   []string          `yaml:"merchants"`
	Depts       []string          `yaml:"depts"`
	Operators   []string          `yaml:"operators"`
	Terminals   []string          `yaml:"terminals"`
	Channels    []string          `yaml:"channels"`
	AllUpper    bool              `yaml:"token_all_upper"`
	Charset     string            `yaml:"charset"`
	Unknown     string            `yaml:"unknown_fields"`
	Orders      string            `yaml:"orders"`
}

// A Scheme is a family of cards under one issuer's keys.
type Scheme struct {
	ID         int      `yaml:"id"`
	Name       string   `yaml:"name"`
	Types      []string `yaml:"card_types"`
	Set        string   `yaml:"key_set"`
	Wallet     string   `yaml:"wallet"`
	Factors    []string `yaml:"outer_factors"`
	MaxAmount  int64    `yaml:"max_amount"`
	MaxBalance int64    `yaml:"max_balance"`
}

// complete gives a scheme its defaults: a purse (EP), at most 1000 yuan.
func (s *Scheme) complete() {
	if s.Wallet == "" {
		s.Wallet = "EP"
	}
	if s.MaxAmount == 0 {
		s.MaxAmount = 100000
	}
	if s.MaxBalance == 0 {
		s.MaxBalance = 100000
	}
}
