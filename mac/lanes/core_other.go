//go:build !amd64

package lanes

// cores are the cores that this processor has.
func cores() []core { return []core{newCore(core64, sm4Plain)} }
