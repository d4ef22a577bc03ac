package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"pbochsm/mac/explain"
)

// verdictText says for people what a verdict says.
var verdictText = map[explain.Verdict]string{
	explain.Holds:    "what the card claims is right",
	explain.Made:     "the answer is made",
	explain.Mismatch: "a MAC is wrong",
}

// table writes rows of cells, separated by tabs, in columns, and no spaces after
// the last one.
func table(out io.Writer, rows []string) {
	var text bytes.Buffer
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, row)
	}
	_ = w.Flush() // which memory takes
	for line := range strings.Lines(text.String()) {
		fmt.Fprintln(out, strings.TrimRight(line, " \n"))
	}
}

// tellExplanation writes x as tables. Chinese terms stand last: their width
// differs from terminal to terminal.
func tellExplanation(out io.Writer, x *explain.Explanation) {
	said := x.Reason
	if said == "" {
		said = verdictText[x.Verdict]
	}
	rows := []string{
		"operation\t" + x.Operation,
		"key\t" + strings.TrimSpace(x.Key+"  "+x.Cipher),
		"profile\t" + x.Profile,
		fmt.Sprintf("verdict\t%s: %s", x.Verdict, said),
	}
	if x.Command != "" {
		rows = append(rows, "command\t"+x.Command)
	}
	table(out, rows)
	if len(x.Keys) > 0 {
		fmt.Fprintln(out)
		tellExplainedKeys(out, x)
	}
	for i := range x.Messages {
		fmt.Fprintln(out)
		tellMessage(out, &x.Messages[i])
	}
	tellMistakes(out, x)
	for _, note := range x.Notes {
		fmt.Fprintf(out, "\nnote: %s\n", note)
	}
}

func tellExplainedKeys(out io.Writer, x *explain.Explanation) {
	rows := []string{"KEY\tKCV\tBYTES\tMADE WITH"}
	for _, k := range x.Keys {
		shown, made := k.Bytes, k.Data
		if shown == "" {
			shown = "(not shown)"
		}
		if len(k.From) > 0 {
			var from []string
			for _, p := range k.From {
				from = append(from, p.Name)
			}
			made += " = " + strings.Join(from, " ‖ ") + padding(k)
		}
		rows = append(rows, fmt.Sprintf("%s\t%s\t%s\t%s", k.Name, k.KCV, shown, made))
	}
	table(out, rows)
}

// padding is what follows the fields in the block that a key is made with.
func padding(k explain.Key) string {
	n := 0
	for _, p := range k.From {
		n += len(p.Bytes)
	}
	if n >= len(k.Data) {
		return ""
	}
	return " ‖ " + k.Data[n:]
}

func tellMessage(out io.Writer, m *explain.Message) {
	fmt.Fprintf(out, "%s, %s, under the %s\n", strings.ToUpper(m.Name), m.Role, m.Under)
	var rows []string
	for _, p := range m.Input {
		rows = append(rows, fmt.Sprintf("  %s\t%s\t%s", p.Name, p.Bytes, p.Chinese))
	}
	if m.IV != "" {
		rows = append(rows, fmt.Sprintf("  begins with\t%s\t", m.IV))
	}
	for i, b := range m.Blocks {
		rows = append(rows, fmt.Sprintf("  block %d\t%s\t%s", i+1, b.Data, after(m, b)))
	}
	if m.Result != "" {
		rows = append(rows, fmt.Sprintf("  %s\t%s\t", m.Name, m.Result))
	}
	if m.Given != "" {
		rows = append(rows, fmt.Sprintf("  given\t%s\t%s", m.Given, compared(m)))
	}
	table(out, rows)
}

func compared(m *explain.Message) string {
	switch {
	case m.Right == nil:
		return "not compared"
	case *m.Right:
		return "right"
	}
	return "WRONG"
}

func after(m *explain.Message, b explain.Block) string {
	switch {
	case b.Chain == "":
		return ""
	case m.Role == explain.Enciphered:
		return "enciphered " + b.Chain
	}
	return "chain " + b.Chain
}

func tellMistakes(out io.Writer, x *explain.Explanation) {
	if len(x.Mistakes) == 0 {
		return
	}
	fmt.Fprintln(out, "\nWHAT WAS GIVEN FITS WITH")
	for _, m := range x.Mistakes {
		fmt.Fprintf(out, "  %s: %s\n", m.Mistake, m.Text)
		fmt.Fprintf(out, "    mend: %s\n", m.Mend)
		if m.Flags != "" {
			fmt.Fprintf(out, "    with: %s\n", m.Flags)
		}
	}
}
