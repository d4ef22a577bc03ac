// Package settlement verifies the TACs of settlement files: files of any size
// with one transaction a line, as CSV or in columns of fixed width, plain or
// compressed.
//
// A [Run] is workers and one that collects. Workers take turns in reading: each
// reads a chunk of whole lines, turns the lines into operations, asks a [mac.HSM]
// about many of them at once, and writes down the verdicts. Who collects takes the
// chunks back in the order of the input, appends their verdicts to a file and
// adds up their counts. Chunks are used again and again, so that the memory of
// a run does not depend on the size of its input.
//
// Which transactions there are, and which columns they need, follows from the
// dictionary of package mac: whatever verifies a TAC there can stand in a
// file here.
//
// Where a line is wrong, that is a verdict; a Run ends early only if the input
// cannot be read or nobody answers. With a state file it can then be taken up
// where it stopped, and ends with the same verdict file and the same counts,
// byte by byte.
package settlement
