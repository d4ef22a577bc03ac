package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"pbochsm/cmd/pbochsm/internal/settlement"
	"pbochsm/cmd/pbochsm/internal/settlement/sample"
	"pbochsm/keystore"
	"pbochsm/mac"
	"pbochsm/mac/lanes"
)

// settlementGroup sets the verification of a settlement file, from reading it
// to the verdict of each record, against "wc -l" of the same file.
func settlementGroup(ctx context.Context, o *Options) error {
	name := fmt.Sprintf("settlement file of %d records / wc -l", o.Records)
	if _, err := exec.LookPath("wc"); err != nil {
		o.skip("settlement", name, fmt.Errorf("needs wc: %w", err))
		return nil
	}
	e, err := newExam(ctx, mac.KindLoadTAC, keystore.UsageTAC, 1)
	if err != nil {
		return err
	}
	file := filepath.Join(o.Dir, "settlement.csv")
	if err := writeSettlement(ctx, file, o.Records); err != nil {
		return err
	}
	run := settlement.Options{
		Files: []string{file}, Format: new(settlement.CSV), HSM: mac.NewEngine(e.live, lanes.New()),
		Workers: runtime.GOMAXPROCS(0), Out: file + ".verdicts", Now: time.Now, Interval: time.Hour,
	}
	row := Row{Group: "settlement", Name: name, Unit: "s"}
	var ratios []float64
	for range o.Turns {
		start := time.Now()
		summary, err := settlement.Run(ctx, run)
		if err != nil {
			return err
		}
		row.Ours = time.Since(start).Seconds()
		if n := summary.Count(settlement.OK); n != uint64(o.Records) || summary.Err() != nil {
			return errors.Join(errWrong, summary.Err())
		}
		start = time.Now()
		if err := exec.CommandContext(ctx, "wc", "-l", file).Run(); err != nil {
			return err
		}
		row.Yardstick = time.Since(start).Seconds()
		ratios = append(ratios, row.Ours/row.Yardstick)
	}
	o.tell(row, ratios, -4)
	return nil
}

// writeSettlement writes a file of n right records: some thousands, again and
// again, because the readable arithmetic that makes them is slow.
func writeSettlement(ctx context.Context, name string, n int) error {
	different := min(n, 5000)
	w := settlement.NewCSVWriter()
	var text, none bytes.Buffer
	err := sample.Write(ctx, sample.Options{
		Records: uint64(different), Seed: 1, Workers: runtime.GOMAXPROCS(0), Writer: w,
		Keys: []mac.KeyID{{Set: 0xA1, Version: 1}},
	}, &text, &none)
	if err != nil {
		return err
	}
	lines := bytes.SplitAfter(text.Bytes(), []byte("\n"))
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = f.Write(lines[0])
	records := lines[1 : 1+different]
	for left := n; left > 0 && err == nil; left -= len(records) {
		records = records[:min(len(records), left)]
		_, err = f.Write(bytes.Join(records, nil))
	}
	return errors.Join(err, f.Close())
}
