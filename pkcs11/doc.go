// Package pkcs11 computes chains inside a PKCS#11 token: the issuer's key, the
// card's key and the session key are objects of the token, sensitive and not
// extractable, and only MACs come out.
//
// # Libraries
//
// Package crypto11 opens the token: it picks it by label, serial number or
// slot, logs in and keeps the login. It comes first and goes last, because it
// finalizes the module and does not take part in anybody else's
// initialization. Package miekg/pkcs11 on the same module finds, imports,
// copies and checks keys. A module that wants an argument for its
// initialization (NSS softokn) is opened through miekg/pkcs11 alone, since
// crypto11 has no way to pass one. The chain itself is one call of C, chain.c,
// on the same instance of the module: through Go alone it would be some
// seventy calls, and as long again.
//
// # Trust
//
// What a token can do is found out by computing an example whose result is
// known, never by its list of mechanisms: lists say too much and too little.
// The example runs before the token serves, and again after every recovery.
// Handles are never trusted across a fault: keys are found again, by label and
// identifier, exactly one, and their check values compared.
//
// # The TAC key
//
// The key of a TAC is the XOR of the halves of a card's key. No standard
// mechanism computes it without showing the host something. There are four
// ways, see [TACWay]; the best that gives the known answer is used, never one
// below the configured floor, and never a worse one than before a fault.
//
// # Beyond session keys
//
// A grey lock and the scripts of an issuer take more of a token. Each is proved
// by its own known answer, and refused where that fails. What a card's key
// enciphers is derived from it and read, so that no key needs more than DERIVE.
//
// # Building
//
// The package needs cgo. Without it, with the build tag nopkcs11, and on
// Windows, it is a stub with the same names, whose Open and Serve say what is
// missing.
//
// [PBOC]: docs/pboc.md
package pkcs11
