package contract_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"pbochsm/cmd/onecard/internal/api/contract"
)

var update = flag.Bool("update", false, "rewrite docs/openapi.yaml")

var published = filepath.Join("..", "..", "..", "..", "..", "docs", "openapi.yaml")

// demo is the description that docs/openapi.yaml shows.
var demo = contract.Description{Domains: []string{"APPM", "WEBM", "TERM"}}

func TestPublishedDescription(t *testing.T) {
	made, err := demo.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(published, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(published)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(kept), string(made)); diff != "" {
		t.Errorf("docs/openapi.yaml is not what the tables say; run this test with -update (-kept +made):\n%s", diff)
	}
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData(made)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Error(err)
	}
}

// The print of the document, with its spellings in its order, was typed into
// testdata/document.txt independently of the tables.
func TestSpellingsAreTheDocuments(t *testing.T) {
	text, err := os.ReadFile("testdata/document.txt")
	if err != nil {
		t.Fatal(err)
	}
	printed := regexp.MustCompile(`(?m)^(/\S+)\n  > (.*)\n  < (.*)$`).FindAllStringSubmatch(string(text), -1)
	if len(printed) != 11 {
		t.Fatalf("the document has eleven endpoints, testdata/document.txt %d", len(printed))
	}
	endpoints := contract.Endpoints()
	for i, p := range printed {
		e := endpoints[i]
		if e.Path != p[1] || e.Extension {
			t.Errorf("endpoint %d is %s, the document has %s", i+1, e.Path, p[1])
		}
		if diff := cmp.Diff(strings.Fields(p[2]), e.Request); diff != "" {
			t.Errorf("request of %s (-document +table):\n%s", e.Path, diff)
		}
		answer := append([]string{"ErrorCode", "ErrorMsg"}, e.Answer...)
		if diff := cmp.Diff(strings.Fields(p[3]), answer); diff != "" {
			t.Errorf("answer of %s (-document +table):\n%s", e.Path, diff)
		}
	}
	for _, e := range endpoints[len(printed):] {
		if !e.Extension || !strings.HasPrefix(e.Path, "/ext/") {
			t.Errorf("%s is neither in the document nor an extension", e.Path)
		}
	}
}

func TestEveryNameIsAField(t *testing.T) {
	var operations []string
	for _, e := range contract.Endpoints() {
		for _, name := range slices.Concat(e.Request, e.Answer, e.Optional) {
			if _, ok := contract.Lookup(name); !ok {
				t.Errorf("%s has %s, which is no field", e.Path, name)
			}
		}
		if slices.Contains(operations, e.Operation) {
			t.Errorf("operation %s occurs twice", e.Operation)
		}
		operations = append(operations, e.Operation)
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		path string
		want contract.Name
	}{
		{"/tuxedo/alverify", contract.Name{Spelling: "CarNo", Key: "CARDNO", Present: true, Filled: true}},
		{"/card/supply", contract.Name{Spelling: "CardNo", Key: "CARDNO", Present: true, Filled: true}},
		{"/prepay/supply", contract.Name{Spelling: "Balunitno", Key: "BALUNITNO", Present: true, Filled: true}},
		{"/prepay/accttranssupply", contract.Name{Spelling: "TradeId", Key: "TRADEID", Present: true, Filled: true}},
		{"/recharcard/supply", contract.Name{Spelling: "Asn", Key: "ASN", Present: true, Filled: true}},
		{"/tuxedo/mac1authal", contract.Name{Spelling: "LinkAddr", Key: "LINKADDR", Present: true}},
		{"/ext/query", contract.Name{Spelling: "TradeID", Key: "TRADEID"}},
	} {
		for _, e := range contract.Endpoints() {
			if e.Path == c.path && !slices.Contains(e.Names(), c.want) {
				t.Errorf("%s has %+v, want %+v among them", c.path, e.Names(), c.want)
			}
		}
	}
}

// The examples of the fields are values of the fields.
func TestExamplesAreAccepted(t *testing.T) {
	var rules contract.Rules
	for _, e := range contract.Endpoints() {
		for _, name := range e.Request {
			f, _ := contract.Lookup(name)
			if !rules.Characters(f.Key(), f.Example) || !rules.Accepts(f.Key(), f.Example) {
				t.Errorf("%s: the example %q is refused", name, f.Example)
			}
		}
	}
}
