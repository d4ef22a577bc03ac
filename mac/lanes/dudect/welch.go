package main

import (
	"math"
	"slices"
)

// A welch is Welch's t-test of two classes of samples.
type welch struct{ class [2]moments }

// Moments are those of samples seen so far, by Welford's method.
type moments struct{ n, mean, squares float64 }

func (w *welch) add(class int, x float64) {
	m := &w.class[class]
	m.n++
	d := x - m.mean
	m.mean += d / m.n
	m.squares += d * (x - m.mean)
}

// value is t: the difference of the means in units of its standard error.
func (w *welch) value() float64 {
	a, b := w.class[0], w.class[1]
	return (a.mean - b.mean) / math.Sqrt(a.squares/(a.n-1)/a.n+b.squares/(b.n-1)/b.n)
}

// enough tells whether there are samples enough for t to mean something.
func (w *welch) enough() bool {
	const least = 1000
	a, b := w.class[0], w.class[1]
	return a.n >= least && b.n >= least && a.squares+b.squares > 0
}

// crops gives limits, taken from sample times, above which times are left out:
// close to each other among the slow times, and one that leaves out nothing.
func crops(times []float64) []float64 {
	const count = 100
	sorted := slices.Sorted(slices.Values(times))
	limits := []float64{math.Inf(1)}
	for i := range count {
		share := 1 - math.Pow(0.5, 10*float64(i+1)/count)
		limits = append(limits, sorted[int(share*float64(len(sorted)))])
	}
	return limits
}
