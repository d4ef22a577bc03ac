package api

import (
	"errors"
	"strings"
	"time"

	"pbochsm/cmd/onecard/internal/api/contract"
	"pbochsm/cmd/onecard/internal/api/flat"
	"pbochsm/cmd/onecard/internal/api/signature"
	"pbochsm/cmd/onecard/internal/api/token"
	"pbochsm/cmd/onecard/internal/recharge"
)

// aliases of names in bodies.
var aliases = flat.Aliases(contract.Aliases())

// admit parses a body and looks at everything that does not need the domain.
func (x *exchange) admit(body []byte) *refusal {
	q := &x.request
	var err error
	if q.object, err = flat.Parse(body, aliases); err != nil {
		return &refusal{code: recharge.BadBody, cause: err}
	}
	code, _ := q.object.Value("ORIGIONDOMAIN")
	known := false
	if q.domain, known = x.api.domains[strings.ToUpper(code)]; !known {
		q.domain = x.api.nobody
	}
	if refused := q.checkShape(q.domain.Unknown); refused != nil {
		return refused
	}
	if refused := x.authenticate(body, known); refused != nil {
		return refused
	}
	x.verified = true
	if !x.api.perDomain.allow(x.api.Now(), q.domain.Code) {
		return refuse(recharge.TooManyRequests)
	}
	if refused := q.domain.permits(q); refused != nil {
		return refused
	}
	if refused := q.checkValues(); refused != nil {
		return refused
	}
	q.fingerprint = x.api.Keys.Fingerprint(q.endpoint.Path, token.String(q.object))
	return nil
}

// authenticate verifies the token, and the signature where the domain must
// send one. A domain that does not exist takes the same work, under a key that
// nobody has, and the same answer.
func (x *exchange) authenticate(body []byte, known bool) *refusal {
	q, now := &x.request, x.api.Now()
	if x.api.badTokens.empty(now, q.source) {
		return refuse(recharge.TooManyRequests)
	}
	channel, _ := q.object.Value("CHANNELNO")
	claimed, _ := q.object.Value(token.Name)
	good := q.domain.Token.Check(q.object, q.domain.key(channel), claimed)
	if !good || !known {
		x.api.badTokens.allow(now, q.source)
		return refuse(recharge.BadToken)
	}
	if !q.domain.SignatureKey.set() {
		return nil
	}
	return x.checkSignature(body)
}

// The time that X-Signature may be off, and how much longer its nonce is kept
// because the clocks of two processes may differ.
const (
	signatureWindow = 5 * time.Minute
	clocksDiffer    = 5 * time.Minute
)

// checkSignature verifies X-Signature and uses its nonce up.
func (x *exchange) checkSignature(body []byte) *refusal {
	d, now := x.request.domain, x.api.Now()
	nonce, until, err := signature.Verify(now, signatureWindow, x.r.Header.Get(signature.Header), d.SignatureKey.reveal(),
		signature.Request{Method: x.r.Method, Path: x.r.URL.Path, Body: body})
	if err == nil {
		err = x.api.Nonces.TakeNonce(x.r.Context(), d.Code, nonce, now, until.Add(clocksDiffer))
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, recharge.ErrStore), errors.Is(err, recharge.ErrBusy):
		return &refusal{code: recharge.StoreUnavailable, cause: err}
	case errors.Is(err, recharge.ErrConflict):
		err = signature.ErrReplay
	}
	x.api.badTokens.allow(now, x.request.source)
	return &refusal{code: recharge.BadToken, cause: err}
}
