// Package vectors holds worked examples of every purse operation, right ones
// and wrong ones, and puts them to a module.
//
// # What there is
//
// The data are the JSON files of this folder, described by schema.json. A
// family file has the keys that the module under test must hold ("provision")
// and the vectors: an operation, its key, factors and fields, the verdict
// expected, and the MAC that is made, if one is. The families named published
// repeat what others have printed, source by source, and are kept by hand;
// all other families are written by vectors/gen. Next to each vector with a
// right MAC or TAC stand its neighbours, named after it, in which one thing is
// wrong: a bit of the MAC, the card, the counter, the type, the amount.
// Vectors named refused must fail before any MAC is looked at; their MACs are
// right, so that nothing else stands in the way.
//
// Families whose name begins with sm4 repeat the others with SM4 keys, under the
// algorithm identifier 04 of the same sets. Those that begin with profile are
// for card schemes that compute otherwise: their sets have a profile.
//
// The keys are public. Sets 01 to 04 are those of the published sources; sets
// A0 to A4 have keys with 0 to 4 diversification levels, AB to AE and B0 to B6
// have a single key whose usage is the wrong one, AF has the weak key of blank
// cards, C1 to C3 are those with a profile.
//
// # Testing a module in Go
//
// Whatever answers as a [mac.HSM] is tested by [Run]: the engine of package
// mac, or a client of a module at the far end of a wire. It must hold [Keys]
// and [Profiles].
//
// # Testing anything else
//
// No code of ours is needed: docs/vectors.md of this repository tells how, and
// what each member of a file means. [Export] writes the files.
//
// The file primitives.json has published examples of the arithmetic alone,
// for finding the step at which an implementation goes astray.
//
// Sections of the form "[PBOC] 5.1" refer to docs/pboc.md of this repository.
//
// [PBOC]: docs/pboc.md
package vectors

//go:generate go run ./gen -dir . -fingerprints ../keystore/published_vectors.txt
