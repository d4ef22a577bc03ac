//go:build !amd64

package digits

const wide, vbmi = false, false

func decode8to16(*byte, *byte, int) bool { return false }

func decode16to32(*byte, *byte, int) bool { return false }

func matchBlocks(*byte, *patternBlock, int, *[2]byte) bool { return false }

func moveDigits(_, _ *byte, _ *move, _ int) {}

func keepStill(_, _, _ *byte, _ int) {}

func decode128(_, _ *byte, _ *widePattern, _ *[2]byte) bool { return false }

func decode256(_, _ *byte, _ *widePattern, _ *[2]byte) bool { return false }
