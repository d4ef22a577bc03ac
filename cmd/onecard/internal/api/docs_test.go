package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pbochsm/cmd/onecard/internal/api"
	"pbochsm/cmd/onecard/internal/api/contract"
)

var updateDocs = flag.Bool("update-docs", false, "write the generated parts of docs/api.md")

const apiText = "../../../../docs/api.md"

// documentKey is the key of the document's own example.
const documentKey = "870fc2e8"

func TestTextIsTrue(t *testing.T) {
	have, err := os.ReadFile(apiText)
	if err != nil {
		t.Fatal(err)
	}
	want := string(have)
	for _, section := range []struct{ name, text string }{
		{"fields", fieldTable()}, {"endpoints", endpointTable()}, {"codes", codeTable()}, {"examples", examples(t)},
	} {
		want = fill(t, want, section.name, section.text)
	}
	if *updateDocs {
		if err := os.WriteFile(apiText, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(have) {
		t.Error("docs/api.md is not what the program does; run this test with -update-docs and look at the change")
	}
}

// fill puts text between the markers of a section.
func fill(t *testing.T, document, section, text string) string {
	t.Helper()
	begin, end := "<!-- "+section+" -->\n", "<!-- /"+section+" -->"
	before, rest, ok := strings.Cut(document, begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("docs/api.md has no section %q", section)
	}
	return before + begin + "\n" + text + "\n" + end + after
}

func fieldTable() string {
	var b strings.Builder
	b.WriteString("| field | accepted | 含义 | meaning |\n|---|---|---|---|\n")
	seen := map[string]bool{}
	for _, e := range contract.Endpoints() {
		for _, name := range e.Request {
			f, _ := contract.Lookup(name)
			if seen[f.Name] {
				continue
			}
			seen[f.Name] = true
			star := ""
			if f.Nullable {
				star = " *"
			}
			fmt.Fprintf(&b, "| %s%s | %s | %s | %s |\n", spellings(f.Name), star, f.Accepted(), f.Chinese, f.English)
		}
	}
	return b.String()
}

// spellings are all that requests have of a field.
func spellings(name string) string {
	var all []string
	for _, e := range contract.Endpoints() {
		for _, n := range e.Request {
			if contract.KeyOf(n) == contract.KeyOf(name) && !slices.Contains(all, n) {
				all = append(all, n)
			}
		}
	}
	return "`" + strings.Join(all, "`, `") + "`"
}

func endpointTable() string {
	var b strings.Builder
	b.WriteString("| path | purpose | request | answer |\n|---|---|---|---|\n")
	for _, e := range contract.Endpoints() {
		fmt.Fprintf(&b, "| `%s` | %s; %s | %s | %s |\n", e.Path, e.Chinese, e.English,
			strings.Join(e.Request[2:], " "), strings.Join(e.Answer, " "))
	}
	return b.String()
}

func codeTable() string {
	var b strings.Builder
	b.WriteString("| code | HTTP | 中文 | English | retry |\n|---|---|---|---|---|\n")
	for _, r := range contract.Results() {
		status, retry := fmt.Sprint(r.Status), r.Retry.String()
		switch r.Code {
		case 0:
			retry = "–"
		case 1006:
			status = "404 405 413 415"
		}
		fmt.Fprintf(&b, "| %04d | %s | %s | %s | %s |\n", r.Code, status, r.Chinese, r.English, retry)
	}
	return b.String()
}

// examples sends one request to each endpoint, and shows what came back.
func examples(t *testing.T) string {
	b := newBench(t, func(o *api.Options) { o.Domains[0].Key = api.NewKey(documentKey) })
	var text strings.Builder
	for _, e := range contract.Endpoints() {
		body := exampleBody(e)
		a := b.send(e.Path, body)
		if a.code() != "0000" {
			t.Errorf("%s: %s", e.Path, a.body)
		}
		fmt.Fprintf(&text, "`POST %s`\n\n```json\n%s\n```\n\n```json\n%s\n```\n\n", e.Path, body, a.body)
	}
	return strings.TrimSuffix(text.String(), "\n")
}

// exampleBody is a request in the order of the document, wrapped to a page.
func exampleBody(e contract.Endpoint) string {
	f := fields{}
	for _, name := range e.Request {
		field, _ := contract.Lookup(name)
		if slices.Contains(e.Optional, name) && name != "TradeID" {
			continue
		}
		f[name] = field.Example
	}
	f.signed(documentKey)
	var text bytes.Buffer
	width := 1
	text.WriteString("{")
	for i, name := range e.Request {
		value, there := f[name]
		if !there {
			continue
		}
		quoted, _ := json.Marshal(value)
		pair := fmt.Sprintf(`"%s": %s`, name, quoted)
		switch {
		case i == 0:
		case width+len(pair) > 110:
			text.WriteString(",\n ")
			width = 1
		default:
			text.WriteString(", ")
			width += 2
		}
		text.WriteString(pair)
		width += len(pair)
	}
	return text.String() + "}"
}

var block = regexp.MustCompile("(?s)```(console|python)\n(.*?)```")

// The commands of the text print what it says, and its Python makes the tokens
// of its examples.
func TestSigningExamples(t *testing.T) {
	for _, c := range []struct{ program, require string }{
		{"bash", "REQUIRE_OPENSSL"}, {"openssl", "REQUIRE_OPENSSL"}, {"python3", "REQUIRE_PYTHON"},
	} {
		if _, err := exec.LookPath(c.program); err != nil {
			if os.Getenv(c.require) != "" {
				t.Fatal(err)
			}
			t.Skipf("%v; %s=1 makes this a failure", err, c.require)
		}
	}
	text, err := os.ReadFile(apiText)
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, m := range block.FindAllStringSubmatch(string(text), -1) {
		var command *exec.Cmd
		var want string
		if m[1] == "console" {
			var script string
			for _, line := range strings.SplitAfter(m[2], "\n") {
				if typed, ok := strings.CutPrefix(line, "$ "); ok {
					script += typed
				} else {
					want += line
				}
			}
			command = exec.CommandContext(t.Context(), "bash", "-euc", script)
		} else {
			f := valid(alverify, "LinkAddr", "充值网点").signed(documentKey)
			want = f["Token"] + "\n"
			command = exec.CommandContext(t.Context(), "python3", "-c",
				m[2]+"import json, sys\nprint(token(json.load(sys.stdin), '"+documentKey+"'))\n")
			command.Stdin = strings.NewReader(f.json())
		}
		got, err := command.CombinedOutput()
		if err != nil || string(got) != want || want == "" {
			t.Errorf("the %s block prints\n%s\nwant\n%s\n(%v)", m[1], got, want, err)
		}
		ran++
	}
	if ran != 2 {
		t.Errorf("docs/api.md has %d blocks to run, want the shell's and the Python's", ran)
	}
}
