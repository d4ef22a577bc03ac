// Package uri reads and writes the names that tokens and their objects have by
// [RFC 7512], as in
//
//	pkcs11:token=main;object=pbochsm%2F01;id=%01%02?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/etc/pin
//
// It is strict: what it does not understand could be what tells two objects
// apart, so an unknown attribute is an error, and so is one that is there twice.
// A PIN within a URI would end up in histories and process lists: pin-value is
// refused, and not even quoted.
//
// [RFC 7512]: https://www.rfc-editor.org/rfc/rfc7512
package uri
