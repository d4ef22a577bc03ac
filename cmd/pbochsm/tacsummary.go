package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"pbochsm/cmd/pbochsm/internal/settlement"
)

// shownTerminals is how many terminals a person is shown, the worst ones.
const shownTerminals = 20

// tabulate prints how many records there are of each reason, and the terminals
// of which not every TAC is right.
func tabulate(out io.Writer, s *settlement.Summary) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "VERDICT\tABOUT\tRECORDS")
	for _, r := range s.Reasons {
		fmt.Fprintf(w, "%s\t%s\t%d\n", r.Verdict, cmp.Or(r.About, "-"), r.Records)
	}
	fmt.Fprintf(w, "all\t-\t%d\n", s.Records)
	if err := w.Flush(); err != nil {
		return err
	}
	worst := worstTerminals(s)
	if len(worst) == 0 {
		return nil
	}
	fmt.Fprintln(w, "\nTERMINAL\tRECORDS\tOK\tMISMATCH\tNOT VERIFIED")
	for _, t := range worst[:min(len(worst), shownTerminals)] {
		ok, wrong := t.Counts[settlement.OK], t.Counts[settlement.Mismatch]
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\n", t.Terminal, t.Counts.Sum(), ok, wrong, t.Counts.Sum()-ok-wrong)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if n := len(worst) - shownTerminals; n > 0 {
		_, err := fmt.Fprintf(out, "and %d more: --json shows them all\n", n)
		return err
	}
	return nil
}

// worstTerminals are those with anything but right TACs: the most wrong TACs
// first, then the most records that are not verified.
func worstTerminals(s *settlement.Summary) []settlement.Terminal {
	worst := slices.Clone(s.Terminals)
	if s.Others != nil {
		worst = append(worst, settlement.Terminal{Terminal: "others", Counts: *s.Others})
	}
	worst = slices.DeleteFunc(worst, func(t settlement.Terminal) bool { return t.Counts.Wrong() == 0 })
	slices.SortStableFunc(worst, func(a, b settlement.Terminal) int {
		return cmp.Or(
			cmp.Compare(b.Counts[settlement.Mismatch], a.Counts[settlement.Mismatch]),
			cmp.Compare(b.Counts.Wrong(), a.Counts.Wrong()))
	})
	return worst
}
