package flat

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// Bounds of a body. They are checked before anything is allocated.
const (
	MaxBody    = 8 << 10 // bytes
	MaxMembers = 64      // the largest request has 24
	MaxName    = 64      // bytes
)

// A Member is one name of the object with its value.
type Member struct {
	Name  string // as sent, in upper case: how it is signed
	Key   string // the same after the aliases: what it means
	Value string // as sent; "" also for null
}

// An Object is the members of a body in the order in which they were sent.
type Object []Member

// Value is the value of the member that means key, or "" if there is none.
func (o Object) Value(key string) (value string, present bool) {
	for i := range o {
		if o[i].Key == key {
			return o[i].Value, true
		}
	}
	return "", false
}

// Aliases are names, in upper case, that mean another one.
type Aliases map[string]string

// An Error tells why a body is none. It never holds a part of the body, whose
// values may be secrets.
type Error struct {
	At     int // bytes before the place
	Reason Reason
}

// Error names the reason and the place.
func (e *Error) Error() string { return fmt.Sprintf("flat: %s at byte %d", e.Reason, e.At) }

// Unwrap is the Reason, for errors.Is.
func (e *Error) Unwrap() error { return e.Reason }

// A Reason is a class of what is wrong with a body.
type Reason string

func (r Reason) Error() string { return string(r) }

// Everything that can be wrong.
const (
	ErrSize      Reason = "body larger than 8192 bytes"
	ErrEncoding  Reason = "text that is not UTF-8"
	ErrSyntax    Reason = "not a JSON object"
	ErrName      Reason = "name that is not 1 to 64 ASCII letters, digits, '_', '-' or '.'"
	ErrDuplicate Reason = "name that was there before"
	ErrValue     Reason = "value that is not a string"
	ErrMembers   Reason = "more than 64 names"
	ErrTrailing  Reason = "bytes after the object"
)

// Parse reads body. Its errors are of type *Error.
func Parse(body []byte, aliases Aliases) (Object, error) {
	if len(body) > MaxBody {
		return nil, &Error{MaxBody, ErrSize}
	}
	if !utf8.Valid(body) {
		return nil, &Error{0, ErrEncoding}
	}
	r := reader{body: body}
	r.text.Grow(len(body))
	object, reason := r.object(aliases)
	if reason != "" {
		return nil, &Error{r.at, reason}
	}
	return object, nil
}

// object reads the whole text.
func (r *reader) object(aliases Aliases) (Object, Reason) {
	if !r.next('{') {
		return nil, ErrSyntax
	}
	object := make(Object, 0, min(MaxMembers, bytes.Count(r.body, []byte{':'})))
	for more := !r.next('}'); more; {
		if len(object) == MaxMembers {
			return nil, ErrMembers
		}
		m, reason := r.member(aliases)
		if reason != "" {
			return nil, reason
		}
		if _, present := object.Value(m.Key); present {
			return nil, ErrDuplicate
		}
		object = append(object, m)
		if more = r.next(','); !more && !r.next('}') {
			return nil, ErrSyntax
		}
	}
	if r.space(); r.at < len(r.body) {
		return nil, ErrTrailing
	}
	return object, ""
}

// member reads "name": "value".
func (r *reader) member(aliases Aliases) (m Member, reason Reason) {
	if !r.next('"') {
		return m, ErrSyntax
	}
	var ok bool
	if m.Name, ok = r.name(); !ok {
		return m, ErrName
	}
	if m.Key, ok = aliases[m.Name]; !ok {
		m.Key = m.Name
	}
	if !r.next(':') {
		return m, ErrSyntax
	}
	m.Value, reason = r.value()
	return m, reason
}
