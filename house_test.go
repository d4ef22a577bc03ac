// Package pbochsm_test holds the program to its house rules: those that a
// linter does not know, because they are about this repository alone.
package pbochsm_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// down lists, for each part of the module, the parts that it may import, and
// what the direction is good for. A package belongs to the longest entry that
// its path begins with, and may always import packages of the same entry.
var down = map[string]struct {
	may []string
	why string
}{
	"keystore":          {nil, "keys know neither transactions nor a wire, so that a token or a tool can share them"},
	"mac":               {[]string{"keystore"}, "a recipe that knew its backend or its wire form would grow special cases for it"},
	"mac/reference":     {[]string{"mac", "keystore"}, "arithmetic that saw requests could answer them around the Engine's checks"},
	"mac/lanes":         {[]string{"mac", "keystore"}, "the fast backend must share no code with the reference that judges it"},
	"mac/cardtest":      {[]string{"mac", "mac/reference", "keystore"}, "the card is the other party: it must not compute with the backend under test"},
	"mac/explain":       {[]string{"mac", "mac/reference", "keystore"}, "an explanation is the recipes and the readable arithmetic; with more it would be another implementation"},
	"mac/transcript":    {[]string{"mac"}, "what cards say is bytes: whoever reads it needs no key and no arithmetic"},
	"mac/digits":        {nil, "it knows digits, and nothing of what they mean"},
	"mac/cardtest/apdu": {[]string{"mac", "mac/cardtest"}, "the reader's bytes are one layer above the card, which does not know them"},
	"pkcs11":            {[]string{"mac", "keystore"}, "a token backend that saw requests could answer them around the Engine's checks"},
	"pkcs11/uri":        {nil, "names of objects are text: whoever reads them needs no token library"},
	"pkcs11/tokentest":  {[]string{"pkcs11"}, "a fixture makes tokens, and knows nothing of what is computed in them"},
	"protocol":          {[]string{"mac", "mac/digits", "keystore"}, "the wire asks a mac.HSM; with a backend at hand it could MAC unchecked bytes"},
	"protocol/testca":   {nil, "certificates for tests know nothing of what is said over them"},
	"protocol/sjl05":    {[]string{"protocol", "mac", "keystore"}, "a dialect reads and writes; what it asks is answered by whoever answers everything else"},
	"vectors":           {[]string{"mac", "keystore"}, "the vectors judge every implementation, so they lean on none"},
	"vectors/gen":       {[]string{"vectors", "mac", "mac/reference", "keystore"}, "expected values come from the readable arithmetic, never from what they will judge"},
	"cmd":               {[]string{"cmd/internal/cmdline", "cmd/onecard/internal/api", "cmd/onecard/internal/auditlog", "cmd/onecard/internal/config", "cmd/onecard/internal/ledger", "cmd/onecard/internal/modules", "cmd/onecard/internal/recharge", "cmd/onecard/internal/sim", "cmd/pbochsm/internal/audit", "cmd/pbochsm/internal/bench", "cmd/pbochsm/internal/serial", "cmd/pbochsm/internal/settlement", "cmd/pbochsm/internal/settlement/sample", "keystore", "mac", "mac/explain", "mac/transcript", "mac/reference", "mac/lanes", "mac/cardtest", "mac/cardtest/apdu", "pkcs11", "pkcs11/uri", "protocol", "protocol/sjl05", "vectors"}, "programs wire the parts together and test helpers stay out of them"},
	"cmd/onecard/internal/recharge": {
		[]string{"mac", "keystore"},
		"the business asks a mac.HSM and a ledger; with HTTP or SQL at hand it would decide by them",
	},
	"cmd/onecard/internal/api": {
		[]string{"cmd/onecard/internal/recharge", "mac"},
		"the adapter translates; what it could decide or store by itself would be a second business",
	},
	"cmd/onecard/internal/batch": {nil, "who gathers callers knows nothing of what they want"},
	"cmd/onecard/internal/ledger": {
		[]string{"cmd/onecard/internal/batch", "cmd/onecard/internal/recharge", "mac"},
		"storage that knew the wire or the API could answer before it has stored",
	},
	"cmd/onecard/internal/auditlog": {
		[]string{"mac", "keystore"},
		"what was made is read from the log alone: with the ledger at hand it would be read as the ledger has it",
	},
	"cmd/onecard/internal/config": {nil, "the configuration is read before there is anything to configure"},
	"cmd/onecard/internal/modules": {
		[]string{"cmd/onecard/internal/batch", "protocol", "mac", "keystore"},
		"keys are reached through the wire alone, by whichever daemon answers",
	},
	"cmd/onecard/internal/sim": {
		[]string{"cmd/onecard/internal/api", "cmd/onecard/internal/recharge", "mac", "mac/cardtest", "mac/explain"},
		"the sandbox plays cards and faults around the API; it books nothing",
	},
	"cmd/internal/cmdline": {nil, "the programs' common manners know nothing of what a program is for"},
	"cmd/pbochsm/internal/audit": {
		[]string{"mac", "keystore"},
		"what records the answers of a mac.HSM must not be able to compute or send one",
	},
	"cmd/pbochsm/internal/serial": {
		[]string{"mac"},
		"who counts a terminal's transactions needs no key and no wire",
	},
	"cmd/onecard/internal/browsertest":   {nil, "a browser for tests knows nothing of what the pages show"},
	"cmd/onecard/internal/ledger/pgtest": {nil, "a database for tests knows nothing of what is stored in it"},
	"cmd/pbochsm/internal/settlement": {
		[]string{"mac/digits", "mac", "keystore"},
		"a settlement run asks a mac.HSM: with a backend or a wire of its own it would verify otherwise than the daemon",
	},
	"cmd/pbochsm/internal/bench": {
		[]string{"cmd/pbochsm/internal/settlement", "cmd/pbochsm/internal/settlement/sample", "keystore", "mac", "mac/lanes", "mac/reference", "protocol", "protocol/testca", "vectors"},
		"a benchmark drives everything and nothing may depend on it; right answers come from the readable arithmetic",
	},
	"cmd/pbochsm/internal/settlement/sample": {
		[]string{"cmd/pbochsm/internal/settlement", "mac", "mac/reference", "vectors", "keystore"},
		"test files are made with the published keys and the readable arithmetic, never with what will judge them",
	},
}

func TestImportsGoDown(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		from := part(path.Dir(s.path))
		rule, known := down[from]
		if !known {
			t.Errorf("%s: no rule says what this package may import; add it to the table with the reason", s.path)
		}
		for _, spec := range s.file.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			to, ours := strings.CutPrefix(name, "pbochsm/")
			if to = part(to); ours && to != from && !slices.Contains(rule.may, to) {
				t.Errorf("%s: %s must not import %s: %s", s.path, from, to, rule.why)
			}
		}
	}
}

// part is the entry of down that a package belongs to.
func part(pkg string) string {
	for p := pkg; p != "."; p = path.Dir(p) {
		if _, ok := down[p]; ok {
			return p
		}
	}
	return pkg
}

// The wire relays: it has no use for the bytes of a key.
func TestProtocolNeverSeesSecrets(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || part(path.Dir(s.path)) != "protocol" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && strings.HasPrefix(sel.Sel.Name, "Secret") {
				t.Errorf("%s: uses %s; a request must have no way to key bytes but the Engine", s.at(sel.Pos()), sel.Sel.Name)
			}
			return true
		})
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	said := map[string]bool{}
	for _, s := range sources(t) {
		pkg := path.Dir(s.path)
		said[pkg] = said[pkg] || s.file.Doc != nil
	}
	for pkg, ok := range said {
		if !ok {
			t.Errorf("package %s has no package comment: begin one with what it is for", pkg)
		}
	}
}

func TestFilesAreShort(t *testing.T) {
	const limit = 400
	for _, s := range sources(t) {
		if n := strings.Count(s.text, "\n"); n > limit && !ast.IsGenerated(s.file) {
			t.Errorf("%s has %d lines, more than %d: it holds more than one thought", s.path, n, limit)
		}
	}
}

// The patterns are written so that they do not match themselves.
func TestFilesSpeakOfTheProjectAlone(t *testing.T) {
	rules := []struct {
		pattern, why string
	}{
		{`(?m)(^|[^\w.~])/(work|root|home|Users)/`, "a path of somebody's machine: nobody else has it"},
		{`(proxy|sum)\.golang\.org|registry\.npmjs\.org|deb\.debian\.org`, "the host of a registry: which mirror is used is the machine's business"},
		{`\bTO[D]O\b|\bFIX[M]E\b|\bXX[X]\b`, "a note to oneself: do it, or file an issue"},
		{`\bt\.Skip[(]\)`, "a skip without a word why"},
	}
	for _, r := range rules {
		match := regexp.MustCompile(r.pattern)
		for name, text := range files(t) {
			for _, at := range match.FindAllStringIndex(text, -1) {
				t.Errorf("%s:%d: %q is %s", name, 1+strings.Count(text[:at[1]], "\n"), text[at[0]:at[1]], r.why)
			}
		}
	}
}

// A source is a Go file of the module, test data excepted.
type source struct {
	path, text string
	file       *ast.File
	set        *token.FileSet
	test       bool
}

func (s source) at(p token.Pos) string { return s.set.Position(p).String() }

// sources parses all Go files, whatever their build tags.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	for name, text := range files(t) {
		if path.Ext(name) != ".go" || strings.Contains(name, "/testdata/") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, source{name, text, file, set, strings.HasSuffix(name, "_test.go")})
	}
	if len(all) == 0 {
		t.Fatal("found no Go files: the rules would hold for anything")
	}
	return all
}

// files reads every file that the repository has or would take, by path.
func files(t *testing.T) map[string]string {
	t.Helper()
	ignore, err := os.ReadFile(".gitignore")
	if err != nil {
		t.Fatal(err)
	}
	patterns := append(strings.Fields(string(ignore)), "/.git/")
	all := map[string]string{}
	err = fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ignored(patterns, name) && d.IsDir():
			return fs.SkipDir
		case d.IsDir() || ignored(patterns, name):
			return nil
		}
		text, err := os.ReadFile(name)
		all[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// ignored understands the two forms that .gitignore has here: /folder/ at the
// root, and a pattern for base names.
func ignored(patterns []string, name string) bool {
	for _, p := range patterns {
		against := path.Base(name)
		if strings.HasPrefix(p, "/") {
			against = name
		}
		if ok, _ := path.Match(strings.Trim(p, "/"), against); ok {
			return true
		}
	}
	return false
}
