package api

import "pbochsm/cmd/onecard/internal/recharge"

// A refusal is a request that the adapter, or the domain behind it, does not
// carry out.
type refusal struct {
	code   recharge.Code
	status int    // HTTP, instead of the code's
	field  string // that it is about, as the endpoint spells it
	spent  bool   // too many wrong passwords, which are counted by the minute and the hour
	cause  error  // for the log; a caller never sees it
}

func refuse(code recharge.Code) *refusal { return &refusal{code: code} }

func refuseField(code recharge.Code, field string) *refusal {
	return &refusal{code: code, field: field}
}
