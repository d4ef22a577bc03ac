package config

// A Domain is one OrigionDomain 发起方应用域.
type Domain struct {
	Code      string   `yaml:"code"`
	Name      string   `yaml:"name"`
	Key       Secret   `yaml:"key"`
	KeyFile   string   `yaml:"key_file"`
	Endpoints []string `yaml:"endpoints"`
	Merchants []string `yaml:"merchants"`
	Depts     []string `yaml:"depts"`
	Operators []string `yaml:"operators"`
	Terminals []string `yaml:"terminals"`
	Channels  []string `yaml:"channels"`
	AllUpper  bool     `yaml:"token_all_upper"`
	Charset   string   `yaml:"charset"`
	Unknown   string   `yaml:"unknown_fields"`
	Orders    string   `yaml:"orders"`
	Signature bool     `yaml:"require_signature"`
}

// A Scheme is what a CardType stands for.
type Scheme struct {
	Type       string            `yaml:"card_type"`
	Name       string            `yaml:"name"`
	Set        string            `yaml:"key_set"`
	Wallet     string            `yaml:"wallet"`
	Factors    []string          `yaml:"outer_factors"`
	TTI        map[string]string `yaml:"tti"`
	Unload     bool              `yaml:"unload"`
	SoleLoader *bool             `yaml:"sole_loader"`
	MaxAmount  int64             `yaml:"max_amount"`
	MaxBalance int64             `yaml:"max_balance"`
}

// complete gives a scheme its defaults: a purse (EP), at most 1000 yuan.
func (s *Scheme) complete() {
	if s.Wallet == "" {
		s.Wallet = "EP"
	}
	if s.TTI == nil {
		s.TTI = map[string]string{"01": "02", "03": "03"}
		if s.Wallet == "ED" {
			s.TTI["01"] = "01"
		}
	}
	if s.SoleLoader == nil {
		yes := true
		s.SoleLoader = &yes
	}
	if s.MaxAmount == 0 {
		s.MaxAmount = 100000
	}
	if s.MaxBalance == 0 {
		s.MaxBalance = 100000
	}
}
