// Package sjl05 speaks the B0xx commands of the SJL05 (卫士通) security module,
// for clients that are to be moved to the commands of [WIRE] and not to be
// changed on the same day. It is a dialect of [protocol.Server].
//
// The commands are oracles by design: they MAC, encipher, decipher and derive
// whatever they are asked. Only keys with the right raw answer them, B061 only
// those with export as well, and the operations are those of [mac.Raw].
//
// [SJL05], docs/sjl05.md of this repository, has the frames byte by byte, and
// says what no public source tells.
//
// [SJL05]: docs/sjl05.md
// [WIRE]: docs/protocol.md
package sjl05
