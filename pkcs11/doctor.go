package pkcs11

// A Finding is one question put to a token, and what it answered.
type Finding struct {
	Question string
	Works    bool
	Needed   bool   // the token does not serve without
	Detail   string // what the answer was
}

// A Diagnosis is what a token can do, found out by computing.
type Diagnosis struct {
	Findings []Finding
	TAC      TACWay // the best way that works and is allowed; WayNone: none
}

// Serves tells whether a daemon would serve from the token.
func (d Diagnosis) Serves() bool {
	for _, f := range d.Findings {
		if f.Needed && !f.Works {
			return false
		}
	}
	return true
}
