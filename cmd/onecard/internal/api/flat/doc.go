// Package flat reads the bodies of requests: one JSON object, as RFC 8259 has
// it, of strings and nothing else.
//
// It is stricter than a general JSON decoder, because the token of a request
// is made over what was parsed. Whatever two readers could take for different
// things is refused here, before anything is hashed: a name twice, in another
// letter case or under an alias; a name that is not plain ASCII; a number
// where a string belongs; an escape that stands for half a character; bytes
// after the object. What is left has one meaning, and there is no second
// reading of the body.
package flat
