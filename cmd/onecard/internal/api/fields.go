package api

import (
	"strings"

	"pbochsm/cmd/onecard/internal/api/contract"
	"pbochsm/cmd/onecard/internal/api/flat"
	"pbochsm/cmd/onecard/internal/recharge"
)

// An endpoint is one of the contract, with the names of its request looked up.
type endpoint struct {
	contract.Endpoint
	names []contract.Name
}

// spelling is how the request spells a field, or "" if it has none of that key.
func (e *endpoint) spelling(key string) string {
	for i := range e.names {
		if e.names[i].Key == key {
			return e.names[i].Spelling
		}
	}
	return ""
}

// A request is a body that has been read, on its way to the domain.
type request struct {
	endpoint *endpoint
	rules    *contract.Rules
	object   flat.Object
	domain   *Domain
	source   string // address of the caller

	fingerprint recharge.Fingerprint
}

// value is the field key in upper case, except where case means something.
func (r *request) value(key string) string {
	v, _ := r.object.Value(key)
	switch key {
	case "OLDPASS", "NEWPASS", "PASSWORD", "PHONEMODEL", "LINKADDR":
		return v
	}
	return strings.ToUpper(v)
}

// checkShape looks for fields that are unknown, missing or empty, and at the
// characters of every value. It is done before the token: a value must not
// reach into the next one in the string that is signed.
func (r *request) checkShape(unknown bool) *refusal {
	for _, name := range r.endpoint.names {
		value, there := r.object.Value(name.Key)
		if name.Present && !there || name.Filled && value == "" {
			return refuseField(recharge.MissingField, name.Spelling)
		}
	}
	for _, m := range r.object {
		name := r.endpoint.spelling(m.Key)
		if name == "" && !unknown {
			return refuse(recharge.BadBody)
		}
		if !r.rules.Characters(m.Key, m.Value) {
			return refuseField(recharge.BadField, name)
		}
	}
	return nil
}

// checkValues looks at lengths, enumerations and ranges.
func (r *request) checkValues() *refusal {
	for _, name := range r.endpoint.names {
		value, _ := r.object.Value(name.Key)
		if value == "" || r.rules.Accepts(name.Key, value) {
			continue
		}
		if name.Key == "ASN" && r.endpoint.Path == "/group/verify" && r.rules.Accepts("CARDNO", value) {
			continue // described there as the card number: either is accepted
		}
		return refuseField(recharge.BadField, name.Spelling)
	}
	return nil
}
