package main

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The running sums give what the definition gives.
func TestWelch(t *testing.T) {
	a := []float64{27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4}
	b := []float64{27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 30.5, 25.2}
	var w welch
	for i := range a {
		w.add(0, a[i])
		w.add(1, b[i])
	}
	mean := func(x []float64) (m, v float64) {
		for _, x := range x {
			m += x / float64(len(a))
		}
		for _, x := range x {
			v += (x - m) * (x - m) / float64(len(a)-1)
		}
		return m, v
	}
	ma, va := mean(a)
	mb, vb := mean(b)
	want := (ma - mb) / math.Sqrt(va/float64(len(a))+vb/float64(len(b)))
	if got := w.value(); math.Abs(got-want) > 1e-9 {
		t.Errorf("t = %v, want %v", got, want)
	}
	if w.enough() {
		t.Error("thirty samples are enough")
	}
}

// A difference of a twentieth of the noise is found, none is not.
func TestWelchFindsADifference(t *testing.T) {
	for _, test := range []struct {
		shift float64
		found bool
	}{{0, false}, {0.05, true}} {
		rng := rand.New(rand.NewPCG(3, 3))
		var w welch
		for range 100_000 {
			class := rng.IntN(2)
			w.add(class, rng.NormFloat64()+test.shift*float64(class))
		}
		if got := math.Abs(w.value()) >= limit; got != test.found || !w.enough() {
			t.Errorf("shift %v: |t| = %v", test.shift, w.value())
		}
	}
}

func TestCropsLeaveOutTheSlow(t *testing.T) {
	times := make([]float64, 1000)
	for i := range times {
		times[i] = float64(len(times) - i)
	}
	limits := crops(times)
	if !math.IsInf(limits[0], 1) {
		t.Errorf("the first limit is %v", limits[0])
	}
	for i := 2; i < len(limits); i++ {
		if limits[i] < limits[i-1] || limits[i] > 1000 {
			t.Errorf("limits %v, %v", limits[i-1], limits[i])
		}
	}
}
