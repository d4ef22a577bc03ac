// Package settlement verifies the TACs of settlement files: files of any size
// with one transaction a line, as CSV or in columns of fixed width, plain or
// compressed.
//
// A [Run] is a pipeline of three stages. One goroutine cuts the input into
// chunks of whole lines; workers turn the lines of a chunk into operations,
// ask a [mac.HSM] about all of them at once, and write down the verdicts; one
// goroutine takes the chunks back in the order of the input, appends their
// verdicts to a file and adds up their counts. Chunks are used again and
// again, so that the memory of a run does not depend on the size of its input.
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
