package pkcs11

// A Status is what is known of a token that serves.
type Status struct {
	Problem   string // why it does not serve; empty: it serves
	TAC       TACWay // how TAC keys are folded
	GreyLock  bool   // grey locks are computed
	Scripts   bool   // issuer scripts are computed
	Workers   int
	Stuck     int // calls that hang now
	Abandoned int // calls that have hung
	Logins    int

	// Recoveries counts, by the class of the fault: session, handle, login,
	// device, PIN, and planned for those that were no fault.
	Recoveries map[string]int
}

// Serving tells whether chains are computed.
func (s Status) Serving() bool { return s.Problem == "" }
