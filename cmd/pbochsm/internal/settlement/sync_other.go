//go:build !unix

package settlement

// syncFolder does nothing where folders cannot be synced.
func syncFolder(string) error { return nil }
