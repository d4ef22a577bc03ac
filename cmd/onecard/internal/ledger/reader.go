package ledger

import (
	"context"

	"pbochsm/cmd/onecard/internal/batch"
)

// mostAsking is how many callers are read for together.
const mostAsking = 64

// newReader reads what waits, all of it together. So a decision takes part in a
// round trip, or in a transaction, and has none of its own. A caller that leaves
// early leaves behind what it asked for, and must not look at it.
func newReader(e engine) *batch.Queue[[]ask] {
	limits := batch.Limits{Workers: e.readers(), Most: mostAsking, Waiting: mostWaiting}
	return batch.New(limits, func(callers []*batch.Item[[]ask]) {
		err := readFor(e, callers)
		for _, i := range callers {
			i.Answer(err)
		}
	})
}

// readFor asks for all of them. One that is alone ends with its caller; many
// end by themselves.
func readFor(e engine, callers []*batch.Item[[]ask]) error {
	if len(callers) == 1 {
		return e.read(callers[0].Ctx, callers[0].Value)
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTime)
	defer cancel()
	all := make([]ask, 0, len(callers)*cap(callers[0].Value))
	for _, i := range callers {
		all = append(all, i.Value...)
	}
	return e.read(ctx, all)
}
