package serial

import (
	"context"

	"pbochsm/mac"
)

// An HSM is another one that gives terminals their serials first.
type HSM struct {
	next mac.HSM
	file *File
}

var _ mac.HSM = (*HSM)(nil)

// New puts the serials of f before next.
func New(next mac.HSM, f *File) *HSM { return &HSM{next, f} }

// Do asks the next HSM, what needs a serial with the one that it gets. An
// operation that is refused afterwards has used its serial up.
func (h *HSM) Do(ctx context.Context, ops []mac.Op) error {
	var asking []*mac.Op
	for i := range ops {
		if _, ok := ops[i].Kind.WithSerial(); ok {
			asking = append(asking, &ops[i])
		}
	}
	if len(asking) == 0 {
		return h.next.Do(ctx, ops)
	}
	h.file.Assign(asking)
	return h.ask(ctx, ops)
}

// ask has the operations that have a serial answered as what they now are.
func (h *HSM) ask(ctx context.Context, ops []mac.Op) error {
	asked, from := make([]mac.Op, 0, len(ops)), make([]int, 0, len(ops))
	for i := range ops {
		kind, needed := ops[i].Kind.WithSerial()
		if needed && ops[i].Err != nil {
			ops[i].Withdraw()
			continue
		}
		op := ops[i]
		if needed {
			op.Kind = kind
		}
		asked, from = append(asked, op), append(from, i)
	}
	if err := h.next.Do(ctx, asked); err != nil {
		for i := range ops {
			ops[i].Err = err
		}
		return err
	}
	for i := range asked {
		kind := ops[from[i]].Kind
		ops[from[i]] = asked[i]
		ops[from[i]].Kind = kind
	}
	return nil
}
