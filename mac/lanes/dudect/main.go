// Dudect measures whether the time of the lanes depends on secrets, by the
// method of [dudect]: run the code on a fixed input and on random ones, mixed
// at random, and ask Welch's t-test whether the two times have the same mean.
// As the upper times are noise of the machine, the test is repeated without
// the slowest of them, for many limits. A |t| of 4.5 or more is a difference.
//
// What is known to differ must be found different, and what cannot differ must
// not: without these controls a quiet result would mean nothing. A difference
// is measured again with twice the samples, in which a leak grows and chance
// does not.
//
//	go run ./mac/lanes/dudect -samples 1000000 -only '64 lanes|control'
//
// [dudect]: Reparaz, Balasch, Verbauwhede: Dude, is my code constant time?
package main

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2" //nolint:depguard // inputs of a measurement, reproducible like a test's
	"os"
	"regexp"
	"runtime"
	"slices"
	"time"
)

// limit is the |t| from which on two classes are said to differ.
const limit = 4.5

// A subject is code to measure.
type subject struct {
	name    string
	leaks   bool // a control that must be found out
	prepare func(random bool, rng *rand.Rand) (run func())
}

func main() {
	samples := flag.Int("samples", 500_000, "how many times to measure each subject")
	only := flag.String("only", "", "measure the subjects whose names match this regular expression")
	flag.Parse()
	if err := examine(*samples, *only); err != nil {
		fmt.Fprintln(os.Stderr, "dudect: error:", err)
		os.Exit(1)
	}
}

func examine(samples int, only string) error {
	all, err := subjects()
	if err != nil {
		return err
	}
	wanted, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(s subject) bool { return !wanted.MatchString(s.name) })
	if len(all) == 0 {
		return fmt.Errorf("no subject matches %q", only)
	}
	runtime.LockOSThread()
	bad := 0
	for _, s := range all {
		t, enough := s.measure(samples)
		for again := 2; again <= 4 && (t >= limit) != s.leaks; again *= 2 {
			fmt.Printf("%-44s max |t| %8.2f, measuring again\n", s.name, t)
			t, enough = s.measure(again * samples)
		}
		if !enough {
			return fmt.Errorf("%d samples are too few to tell anything", samples)
		}
		verdict := "as it should be"
		if (t >= limit) != s.leaks {
			verdict = "NOT AS IT SHOULD BE"
			bad++
		}
		fmt.Printf("%-44s max |t| %8.2f, %s\n", s.name, t, verdict)
	}
	if bad > 0 {
		return errors.New("a time depends on a secret, or a control failed")
	}
	return nil
}

// perBatch is how many inputs are prepared before they are measured.
const perBatch = 1000

// measure gives the largest |t| of the subject, and whether there were samples
// enough for it to mean something.
func (s *subject) measure(samples int) (largest float64, enough bool) {
	rng := rand.New(rand.NewPCG(1, uint64(samples)))
	var limits []float64
	var tests []welch
	runs, classes, times := make([]func(), perBatch), make([]int, perBatch), make([]float64, perBatch)
	for done := -perBatch; done < samples; done += perBatch { // the first batch warms up
		for i := range runs {
			classes[i] = rng.IntN(2)
			runs[i] = s.prepare(classes[i] == 1, rng)
		}
		runtime.GC() // now, and not while measuring
		for i, run := range runs {
			start := time.Now()
			run()
			times[i] = float64(time.Since(start))
		}
		if limits == nil {
			limits = crops(times)
			tests = make([]welch, len(limits))
			continue
		}
		for k, l := range limits {
			for i, t := range times {
				if t <= l {
					tests[k].add(classes[i], t)
				}
			}
		}
	}
	for _, t := range tests {
		if t.enough() {
			largest, enough = max(largest, math.Abs(t.value())), true
		}
	}
	return largest, enough
}
