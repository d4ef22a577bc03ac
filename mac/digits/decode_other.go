//go:build !amd64

package digits

const wide = false

func decode8to16(*byte, *byte, int) bool { return false }

func decode16to32(*byte, *byte, int) bool { return false }
