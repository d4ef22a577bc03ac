package pbochsm_test

import (
	"os"
	"os/exec"
	"path"
	"regexp"
	"strings"
	"testing"
)

var mdLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestLinksLeadSomewhere(t *testing.T) {
	all := files(t)
	for name, text := range all {
		if path.Ext(name) != ".md" {
			continue
		}
		for _, link := range mdLink.FindAllStringSubmatch(text, -1) {
			file, anchor, _ := strings.Cut(link[1], "#")
			if strings.Contains(file, ":") { // another site
				continue
			}
			target := name
			if file != "" {
				target = path.Join(path.Dir(name), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which does not exist", name, link[1])
			} else if anchor != "" && !anchors(all[target])[anchor] {
				t.Errorf("%s links to %s, but %s has no such heading", name, link[1], target)
			}
		}
	}
}

var (
	mdHeading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	dropped   = regexp.MustCompile(`[^\pL\pN _-]`)
)

// anchors gives the fragment of every heading: lower case, punctuation
// dropped, spaces to hyphens.
func anchors(md string) map[string]bool {
	all := map[string]bool{}
	for _, h := range mdHeading.FindAllStringSubmatch(md, -1) {
		slug := dropped.ReplaceAllString(strings.ToLower(h[1]), "")
		all[strings.ReplaceAll(slug, " ", "-")] = true
	}
	return all
}

var (
	definition = regexp.MustCompile(`(?m)^// \[(\w+)\]: (docs/\S+)$`)
	citation   = regexp.MustCompile(`\[([A-Z]\w+)\],?(?:\s+(?://\s*)?(?:section\s+)?)(\d+(?:\.\d+)?)`)
	section    = regexp.MustCompile(`(?m)^#+ (\d+(?:\.\d+)?)\.? `)
)

// A comment that cites "[PBOC] 5.1" must find a heading with that number.
func TestCitationsExist(t *testing.T) {
	documents := map[string]string{} // by label
	numbers := map[string]bool{}
	for _, s := range sources(t) {
		for _, d := range definition.FindAllStringSubmatch(s.text, -1) {
			label, doc := d[1], d[2]
			if other, ok := documents[label]; ok && other != doc {
				t.Errorf("%s: [%s] is %s here and %s elsewhere", s.path, label, doc, other)
			}
			documents[label] = doc
			for _, h := range section.FindAllStringSubmatch(read(t, doc), -1) {
				numbers[label+" "+h[1]] = true
			}
		}
	}
	cited := 0
	for _, s := range sources(t) {
		for _, c := range citation.FindAllStringSubmatch(s.text, -1) {
			if doc, ours := documents[c[1]]; ours {
				cited++
				if !numbers[c[1]+" "+c[2]] {
					t.Errorf("%s cites [%s] %s, but %s has no section %s", s.path, c[1], c[2], doc, c[2])
				}
			}
		}
	}
	if cited == 0 {
		t.Error("found no citation: the pattern no longer fits how comments cite")
	}
}

func TestChangelogIsOpen(t *testing.T) {
	if !anchors(read(t, "CHANGELOG.md"))["unreleased"] {
		t.Error("CHANGELOG.md has no section Unreleased: where would the next change be told?")
	}
}

var console = regexp.MustCompile("(?s)```console\n(.*?)```")

// The worked examples of docs/pboc.md are one shell session: what its lines
// print must be what the page says, computed by OpenSSL rather than by us.
func TestWorkedExamples(t *testing.T) {
	for _, program := range []string{"bash", "openssl", "od"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("REQUIRE_OPENSSL") != "" {
				t.Fatal(err)
			}
			t.Skipf("%v; REQUIRE_OPENSSL=1 makes this a failure", err)
		}
	}
	var definitions, script, want strings.Builder
	for _, block := range console.FindAllStringSubmatch(read(t, "docs/pboc.md"), -1) {
		for _, line := range strings.SplitAfter(block[1], "\n") {
			command, typed := strings.CutPrefix(line, "$ ")
			switch {
			case typed && strings.Contains(command, "() {"):
				definitions.WriteString(command)
			case typed:
				script.WriteString(command)
			default:
				want.WriteString(line)
			}
		}
	}
	shell := exec.CommandContext(t.Context(), "bash", "-eu")
	shell.Stdin = strings.NewReader(definitions.String() + script.String())
	shell.Stderr = os.Stderr
	got, err := shell.Output()
	if err != nil || string(got) != want.String() || want.Len() == 0 {
		t.Errorf("the commands of docs/pboc.md print\n%s\nthe page says\n%s\n(%v)", got, want.String(), err)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
