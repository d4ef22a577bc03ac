package vectors

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed *.json
var files embed.FS

// The embedded files that are no families.
const (
	schemaFile     = "schema.json"
	primitivesFile = "primitives.json"
)

// A Family is one file of vectors about one operation or one publication,
// with the keys that they need.
type Family struct {
	Name      string        `json:"-"` // of the file, without its ending
	Comment   string        `json:"comment"`
	Profiles  []TestProfile `json:"profiles,omitempty"`
	Provision []TestKey     `json:"provision"`
	Vectors   []Vector      `json:"vectors"`
}

// All gives every family in alphabetical order.
func All() []Family { return must(load()) }

// Read gives the family of that name and looks at no other file.
func Read(name string) (Family, error) {
	f := Family{Name: name}
	return f, decodeFile(name+".json", &f)
}

func load() ([]Family, error) {
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		return nil, err
	}
	var all []Family
	for _, name := range names {
		if name == schemaFile || name == primitivesFile {
			continue
		}
		f, err := Read(strings.TrimSuffix(name, ".json"))
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// decodeFile reads an embedded file and allows no member that v lacks: a
// misspelt member would be a check that nobody makes.
func decodeFile(name string, v any) error {
	text, err := files.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("vectors: no file %s", name)
	}
	if err != nil {
		return fmt.Errorf("vectors: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("vectors: %s: %w", name, err)
	}
	return nil
}

// must unwraps what was read from an embedded file. The tests of this package
// hold that every one of them reads.
func must[T any](v T, err error) T {
	if err != nil {
		panic("vectors: internal error: " + err.Error())
	}
	return v
}
