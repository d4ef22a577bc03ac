package recharge

import (
	"errors"
	"fmt"
)

// A Code is a result of the API by its canonical number. Texts and the forms
// in which it is printed are package api's.
type Code uint16

// The codes.
const (
	Success Code = 0

	BadBody         Code = 1001
	MissingField    Code = 1002
	BadField        Code = 1003
	OutsideWindow   Code = 1004 // HostDate, HostTime
	TypeNotEnabled  Code = 1005
	BadMethod       Code = 1006
	BadToken        Code = 2001
	NoPermission    Code = 2002 // of the domain for the endpoint
	NotYours        Code = 2003 // merchant, department, channel or operator
	TooManyRequests Code = 2004

	NothingOpen     Code = 3001
	NoSuchOrder     Code = 3002
	SerialReused    Code = 3003 // the same serial, or write, with other content
	InProgress      Code = 3004
	OrderClosed     Code = 3005
	AmountDiffers   Code = 3006
	OpenLoad        Code = 3007
	RewriteDiffers  Code = 3008
	BalanceChanged  Code = 3009
	CounterWentBack Code = 3010

	CardNotAuthentic Code = 4001
	CardRefused      Code = 4002
	LimitExceeded    Code = 4003
	BudgetSpent      Code = 4004
	ProofRefused     Code = 4005 // TAC or MAC3

	MerchantRefused    Code = 5001
	MerchantFunds      Code = 5002
	RechargeRefused    Code = 5003
	CorporateRefused   Code = 5004
	CorporateFunds     Code = 5005
	PasswordUnsuitable Code = 5006

	Busy             Code = 9001
	HSMUnavailable   Code = 9002
	OutcomeUnknown   Code = 9003
	StoreUnavailable Code = 9004
	Internal         Code = 9005
	ClockNotTrusted  Code = 9006
)

// An Error is a refusal. Field names what it is about, by its key in the API
// (upper case, aliases resolved), or is empty. Cause is for the log and must
// not reach a caller.
type Error struct {
	Code  Code
	Field string
	Cause error
}

func (e *Error) Error() string {
	text := fmt.Sprintf("recharge: refused with %04d", uint16(e.Code))
	if e.Field != "" {
		text += " (" + e.Field + ")"
	}
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// CodeOf is the code that a caller gets for err: Success for nil, Internal for
// an error that is not an *Error.
func CodeOf(err error) Code {
	var e *Error
	switch {
	case err == nil:
		return Success
	case errors.As(err, &e):
		return e.Code
	}
	return Internal
}

func refuse(c Code) error                    { return &Error{Code: c} }
func refuseField(c Code, field string) error { return &Error{Code: c, Field: field} }
func refuseFor(c Code, cause error) error    { return &Error{Code: c, Cause: cause} }
