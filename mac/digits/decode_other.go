//go:build !amd64

package digits

const wide = false

func decode8to16(*byte, *byte, int) bool { return false }

func decode16to32(*byte, *byte, int) bool { return false }

func matchBlocks(*byte, *patternBlock, int, *[2]byte) bool { return false }

func moveDigits(_, _ *byte, _ *move, _ int) {}

func keepStill(_, _, _ *byte, _ int) {}
