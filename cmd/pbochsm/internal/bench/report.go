package bench

import (
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Line is the row as a line of a terminal.
func (r *Row) Line() string {
	if r.Skipped != "" {
		return fmt.Sprintf("%-58s left out: %s", r.Name, strings.Join(strings.Fields(r.Skipped), " "))
	}
	text := fmt.Sprintf("%-58s %10.4g", r.Name, r.Ours)
	if r.Yardstick > 0 {
		text += fmt.Sprintf(" / %-10.4g %-8s = %6.2f ×", r.Yardstick, r.Unit, r.Ratio)
	} else {
		text += " " + r.Unit
	}
	if r.Goal != "" {
		verdict := "reached"
		if r.Missed {
			verdict = "missed"
		}
		text += fmt.Sprintf("   goal %s %s", r.Goal, verdict)
	}
	return text
}

// Share is a second line: what else there is to say, or what the servers took of the processors. On a machine
// that others use too it is steadier than the rates.
func (r *Row) Share() string {
	if r.Note != "" {
		return "  " + r.Note + "\n"
	}
	if r.CPU[0] == 0 || r.CPU[1] == 0 {
		return ""
	}
	return fmt.Sprintf("  processor time for each request, of the server %.0f / %.0f ns = %.2f ×, of the load generator %.0f / %.0f ns\n",
		r.CPU[0], r.CPU[1], r.CPU[0]/r.CPU[1], r.Generator[0], r.Generator[1])
}

// quantiles are those that are shown, in percent.
var quantiles = []float64{50, 90, 99, 99.9, 99.99}

// Plot draws the latencies of a row for a terminal, ours and the yardstick's, on
// a logarithmic scale: every 8 characters are a doubling, from 8 µs on.
func (r *Row) Plot() string {
	if r.Latency[0] == nil || r.Latency[1] == nil {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "  latency of %s\n", r.Name)
	for _, q := range quantiles {
		for i, who := range []string{"ours", "yardstick"} {
			v := r.Latency[i].ValueAtQuantile(q)
			fmt.Fprintf(&b, "  p%-6g %-9s %s %.0f µs\n", q, who, bar(v), float64(v)/1e3)
		}
	}
	return b.String()
}

// bar is as long as the logarithm of v.
func bar(v int64) string { return strings.Repeat("█", int(8*log2(v))) }

// log2 is the number of doublings from 8 µs to v.
func log2(v int64) float64 {
	n := 0.0
	for x := float64(v) / 8e3; x > 1; x /= 1.0905077326652577 { // the eighth root of 2
		n += 0.125
	}
	return n
}

// page is the report as a file that needs nothing else.
var page = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>pbochsm bench</title>
<style>body{font:14px sans-serif;margin:2em}td,th{padding:.2em .8em;text-align:left}.missed{color:#b00}svg{margin:1em 0}</style>
<h1>pbochsm bench</h1>
<table><tr><th>measured<th>ours<th>yardstick<th>unit<th>ratio<th>goal</tr>
{{range .}}<tr{{if .Missed}} class="missed"{{end}}><td>{{.Name}}{{if .Skipped}}<td colspan="5">left out: {{.Skipped}}{{else}}<td>{{printf "%.4g" .Ours}}<td>{{if .Yardstick}}{{printf "%.4g" .Yardstick}}{{end}}<td>{{.Unit}}<td>{{if .Yardstick}}{{printf "%.2f" .Ratio}}{{end}}<td>{{.Goal}}{{end}}</tr>
{{end}}</table>
{{range .}}{{.Chart}}{{end}}
</html>
`))

// WriteHTML writes all rows with a chart of each that has latencies.
func WriteHTML(w io.Writer, rows []Row) error { return page.Execute(w, rows) }

// Chart is the latency by percentile of a row, as SVG: ours in blue, the
// yardstick's in grey, both axes logarithmic.
func (r Row) Chart() template.HTML {
	if r.Latency[0] == nil || r.Latency[1] == nil {
		return ""
	}
	const width, height = 640, 260
	var b strings.Builder
	fmt.Fprintf(&b, `<h2>%s</h2><svg width="%d" height="%d" font-family="sans-serif" font-size="11">`, template.HTMLEscapeString(r.Name), width, height)
	for i, q := range quantiles {
		x := chartX(i)
		fmt.Fprintf(&b, `<line x1="%d" x2="%d" y1="10" y2="220" stroke="#ddd"/><text x="%d" y="236">p%g</text>`, x, x, x-8, q)
	}
	for us := int64(10); us <= 100_000; us *= 10 {
		y := chartY(1000 * us)
		fmt.Fprintf(&b, `<line x1="60" x2="620" y1="%d" y2="%d" stroke="#ddd"/><text x="4" y="%d">%d µs</text>`, y, y, y+4, us)
	}
	for i, color := range []string{"#06c", "#888"} {
		fmt.Fprintf(&b, `<polyline fill="none" stroke-width="2" stroke="%s" points="%s"/>`, color, points(r.Latency[i]))
	}
	b.WriteString(`<text x="70" y="254" fill="#06c">ours</text><text x="120" y="254" fill="#888">yardstick</text></svg>` + "\n")
	return template.HTML(b.String()) //nolint:gosec // made of numbers, and a name that is escaped
}

func chartX(i int) int { return 80 + 130*i }

func chartY(v int64) int { return 220 - int(14*log2(v)) }

func points(h *hdrhistogram.Histogram) string {
	var at []string
	for i, q := range quantiles {
		at = append(at, fmt.Sprintf("%d,%d", chartX(i), chartY(h.ValueAtQuantile(q))))
	}
	return strings.Join(at, " ")
}
