// Package keystore keeps the issuer's master keys of the purse: what each key
// is for, its 16 bytes, and the sealed file that both rest in.
//
// A [Store] is one data directory with its file open: the commands of a key
// ceremony change it, and Save puts the change on disk. A [Snapshot] is an
// immutable set of keys to compute with; a daemon serves from a [Live], which
// always has one.
//
// # What is protected
//
// Whoever has the file alone, a stolen disk or an old backup, has to guess the
// pass-phrase, and each guess costs 64 MiB of memory and three passes over it.
// Whoever can write to the file cannot change one bit of it, swap two keys,
// relabel one or cut the file short without the whole being refused. An older
// file, which was valid once, is refused at a reload, and at start by a caller
// who remembers the epoch ([Options].MinEpoch).
//
// Whoever is root on the host while a store is open reads its keys from
// memory. A pass-phrase that has leaked together with any copy of the file
// opens every later file of that store, whatever the pass-phrase is then: the
// storage master key stays. Only a new store with new keys helps.
//
// # The file
//
// keystore.age is an age file ([AGE]) with two recipient stanzas of our own.
// Base64 is without padding and numbers are decimal. Expand is HKDF-Expand of
// [RFC 5869] with SHA-256, argon2id is that of [RFC 9106], and AEAD is
// ChaCha20-Poly1305 of [RFC 8439] with a nonce of zeros, since every key that
// it is used with serves once:
//
//	-> argon2id SALT MEMORY TIME THREADS
//	   body: AEAD(key, SMK), 48 bytes, where
//	   key = argon2id(pass-phrase, SALT, TIME passes, MEMORY KiB, THREADS), 32 bytes
//	-> smk SALT
//	   body: AEAD(key, file key), 32 bytes, where
//	   key = Expand(SMK, "pbochsm keystore v1 file key" | SALT, 32 bytes)
//
// Each SALT is 16 random bytes. The SMK, the storage master key, is 32 random
// bytes made with the store and never changed; so a daemon that holds it can
// read a changed file without the pass-phrase, and another way to unlock is
// another stanza that wraps the SMK. A save writes the smk stanza anew and
// carries all others over as they are. Of argon2id and smk there is exactly
// one each.
//
// From the file key on it is plain age: a MAC over the whole header, then the
// payload in chunks, the last one marked. The payload is
//
//	4 bytes    N, big-endian
//	N bytes    attributes: JSON
//	16 bytes   SALT
//	the rest   AEAD(key, secrets, the 4 + N bytes above), where
//	           key = Expand(SMK, "pbochsm keystore v1 secrets" | SALT, 32 bytes)
//
// with 16 bytes of secret for each key of the attributes, in their order; zeros
// for a key that lives in a token. The secrets are sealed once more inside so that neither age's buffers nor the
// JSON codec ever see a key: the bytes go from our locked memory to cipher
// text and back. The attributes are one line of JSON without spaces, members
// in this order, keys by rising index; a reader accepts exactly the text that
// a writer would make, so that no member is unknown, missing or there twice:
//
//	{"format":1,"mode":"test","epoch":2,"next":2,"keys":[
//	 {"set":"01","usage":"load","version":"01","algorithm":"00","index":1,
//	  "cipher":"3des","levels":1,"state":"active","kcv":"491510"}]}
//
// A key that lives in a token has one member more, at its end, which names the
// token and the object in it, the identifier in hexadecimal. A store with such a
// key has format 2 at least, one with neither this nor what follows format 1:
//
//	"home":{"token":"main","label":"pbochsm/01/load/01/00","id":"0101"}
//
// A key with the rights raw and export ends with "raw":true,"export":true, the
// second only with the first; a store with such a key, or of the mode migration,
// has format 3. A production store with one is refused.
//
// Where sets have profiles the object ends with them, by rising set, with the
// switches that are not at their first reading:
//
//	,"profiles":[{"set":"01","name":"cjt166","switches":{"auth-code":"compound"},
//	 "ciphers":{"00":"3des","01":"3des","04":"sm4"}}]
//
// epoch counts the saves, from 1. next is the lowest index that was never
// given to a key. The check value of the SMK, which the wire reports, is
// Expand(SMK, "pbochsm keystore v1 check value", 3 bytes).
//
// A save writes keystore.age.tmp beside the file, syncs it, renames it over
// the old one and syncs the directory; a leftover of that name is an
// interrupted save and means nothing. Whoever opens a store to change it holds
// a lock on keystore.lock until Close; the file stays there, and only the lock
// counts. The directory is made with mode 0700 and the files with 0600; a file
// on which everybody has any right is refused (the group is the
// administrator's affair).
//
// # The life of a snapshot
//
// A snapshot is built from a file (or from entries, for published test keys),
// with the key bytes copied into pages of their own. It begins with one hold,
// which its owner gives up by Release or hands to a Live. A reader takes a
// hold with [Live.Acquire] for the length of a batch, so that one request
// never sees two sets of keys. [Store.Reload] swaps one pointer; the old
// snapshot loses the hold that made it current, and with its last reader's
// Release its pages are cleared and unmapped. A use after that is a crash.
//
// # What Go cannot promise
//
// On unix, keys and the SMK live in pages that the collector does not know of,
// that are locked out of swap where the system allows it, and on Linux left
// out of core dumps; elsewhere they are on the heap. Everything that this
// package allocates for a secret is cleared after use, and so are the slices
// that callers hand over where the method says so. But a function that
// computes with a key leaves traces that nobody can reach: registers and
// spilled stack slots, the key schedules of crypto/des (one for each check
// value), the working memory of argon2id and the key copies within HKDF, age
// and ChaCha20-Poly1305. age makes its file keys and nonces from crypto/rand,
// whatever source a caller passes here.
//
// [AGE]: https://age-encryption.org/v1
// [RFC 5869]: https://www.rfc-editor.org/rfc/rfc5869
// [RFC 8439]: https://www.rfc-editor.org/rfc/rfc8439
// [RFC 9106]: https://www.rfc-editor.org/rfc/rfc9106
package keystore
