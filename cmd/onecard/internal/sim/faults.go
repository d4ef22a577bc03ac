package sim

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"pbochsm/mac"
)

// A Point is a place at which a request can be made to go wrong.
type Point string

// The places, in the order in which a request passes them.
const (
	BeforeParse  Point = "before-parse"    // the connection ends before the body is read
	AfterToken   Point = "after-token"     // the API is busy: 9001, nothing begun
	BeforeModule Point = "before-module"   // the security module cannot be reached
	SlowModule   Point = "module-timeout"  // it does not answer in time
	WrongMAC1    Point = "wrong-mac1"      // it says that MAC1 is wrong
	BeforeCommit Point = "before-commit"   // the process stops between the module and the ledger
	CommitFails  Point = "commit-fails"    // the ledger refuses
	AfterCommit  Point = "answer-lost"     // booked, and the connection ends before the answer
	LateAnswer   Point = "answer-late"     // booked, and answered after Delay
	Twice        Point = "delivered-twice" // the same request arrives two times
	HalfFrame    Point = "half-frame"      // half of the answer arrives
	SlowSender   Point = "slow-sender"     // the answer trickles
	Midnight     Point = "midnight"        // the clock passes midnight before the answer
)

// Points lists them all.
func Points() []Point {
	return []Point{
		BeforeParse, AfterToken, BeforeModule, SlowModule, WrongMAC1, BeforeCommit, CommitFails, AfterCommit,
		LateAnswer, Twice, HalfFrame, SlowSender, Midnight,
	}
}

// A Fault is armed at a point for some requests.
type Fault struct {
	Point Point         `json:"point"`
	Path  string        `json:"path,omitempty"` // of the request; empty: any
	Times int           `json:"times"`          // how many requests it still hits
	Delay time.Duration `json:"delay,omitempty"`
}

// Faults are the armed ones.
type Faults struct {
	mu    sync.Mutex
	armed []Fault
}

// Arm adds a fault.
func (f *Faults) Arm(fault Fault) error {
	if !slices.Contains(Points(), fault.Point) {
		var names []string
		for _, p := range Points() {
			names = append(names, string(p))
		}
		return fmt.Errorf("%w: fault point %q is none of %s", ErrRequest, fault.Point, strings.Join(names, ", "))
	}
	if fault.Times < 1 || fault.Delay < 0 || fault.Delay > time.Minute {
		return fmt.Errorf("%w: times is at least 1 and delay at most a minute", ErrRequest)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = append(f.armed, fault)
	return nil
}

// Armed lists the faults that will still hit.
func (f *Faults) Armed() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Fault{}, f.armed...)
}

// Clear disarms all.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = nil
}

// hit takes the faults that meet a request of path, one of each point.
func (f *Faults) hit(path string) map[Point]Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	hits := map[Point]Fault{}
	f.armed = slices.DeleteFunc(f.armed, func(a Fault) bool { return a.Times == 0 })
	for i := range f.armed {
		a := &f.armed[i]
		if _, twice := hits[a.Point]; twice || a.Path != "" && a.Path != path {
			continue
		}
		a.Times--
		hits[a.Point] = *a
	}
	f.armed = slices.DeleteFunc(f.armed, func(a Fault) bool { return a.Times == 0 })
	return hits
}

type hitsKey struct{}

// hitting tells whether the request of ctx is to go wrong at p.
func hitting(ctx context.Context, p Point) bool {
	hits, _ := ctx.Value(hitsKey{}).(map[Point]Fault)
	_, ok := hits[p]
	return ok
}

// A module is the security module, with the faults of a request before it.
type module struct {
	mac.HSM
	patience time.Duration
}

// Do answers ops, or fails as the request's faults say.
func (m module) Do(ctx context.Context, ops []mac.Op) error {
	var err error
	switch {
	case hitting(ctx, BeforeModule):
		err = fmt.Errorf("sim: fault %s: %w", BeforeModule, mac.ErrUnavailable)
	case hitting(ctx, SlowModule):
		select {
		case <-time.After(m.patience):
		case <-ctx.Done():
		}
		err = fmt.Errorf("sim: fault %s: %w", SlowModule, mac.ErrUnavailable)
	case hitting(ctx, WrongMAC1):
		for i := range ops {
			ops[i].Answer, ops[i].Err = [4]byte{}, mac.ErrMAC1
		}
		return nil
	default:
		return m.HSM.Do(ctx, ops)
	}
	for i := range ops {
		ops[i].Answer, ops[i].Err = [4]byte{}, err
	}
	return err
}
