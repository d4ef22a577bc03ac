// Package config is the configuration file of onecard: YAML, strict, with every
// member checked before anything starts. A member that does not exist, or is
// there twice, is an error that names its line; so is a value that cannot be
// meant. docs/onecard.yaml shows every member.
//
// Secrets are of type [Secret], which prints as a placeholder wherever it is
// formatted, logged or marshalled, and can also be read from files of their
// own.
package config
