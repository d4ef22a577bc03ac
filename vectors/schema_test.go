package vectors_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func validate(schema *jsonschema.Schema, text []byte) error {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return schema.Validate(doc)
}

// dataFiles are all JSON files of the folder but the schema itself.
func dataFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.json")
	if err != nil {
		t.Fatal(err)
	}
	var data []string
	for _, f := range files {
		if f != "schema.json" {
			data = append(data, f)
		}
	}
	if len(data) < 2 {
		t.Fatalf("found only %q", data)
	}
	return data
}

func TestFilesFollowTheSchema(t *testing.T) {
	schema := compileSchema(t)
	for _, name := range dataFiles(t) {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := validate(schema, text); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestSchemaRefuses shows that the schema bites: each case is one edit away
// from a file that it takes.
func TestSchemaRefuses(t *testing.T) {
	schema := compileSchema(t)
	text, err := os.ReadFile("published-load.json")
	if err != nil {
		t.Fatal(err)
	}
	good := string(text)
	for _, c := range []struct{ name, old, new string }{
		{"unknown member", `"expect": "accept"`, `"expect": "accept", "flags": []`},
		{"unknown field", `"random"`, `"Random"`},
		{"unknown verdict", `"expect": "accept"`, `"expect": "valid"`},
		{"unknown operation", `"operation": "load"`, `"operation": "recharge"`},
		{"verdict of another operation", `"expect": "accept"`, `"expect": "made"`},
		{"refusal with an answer", `"expect": "accept"`, `"expect": "mismatch"`},
		{"invalid without a field", `"expect": "accept"`, `"expect": "invalid"`},
		{"lower-case digits", `"mac1": "2988AE5A"`, `"mac1": "2988ae5a"`},
		{"short MAC", `"mac1": "2988AE5A"`, `"mac1": "2988AE"`},
		{"odd digits", `"answer": "3A845BF0"`, `"answer": "3A845BF"`},
		{"empty source", `"source": "https://blog.csdn.net/slj_win/article/details/42240855 ; https://www.cnblogs.com/ttss/p/4280376.html"`, `"source": ""`},
		{"no source", `"source": "https://blog.csdn.net/slj_win/article/details/42240855 ; https://www.cnblogs.com/ttss/p/4280376.html",`, ``},
		{"five levels", `"levels": 0`, `"levels": 5`},
		{"short key", `"value": "1122`, `"value": "22`},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := strings.Replace(good, c.old, c.new, 1)
			if bad == good {
				t.Fatalf("nothing to replace: %q", c.old)
			}
			if validate(schema, []byte(bad)) == nil {
				t.Fatal("the schema takes it")
			}
		})
	}
}
