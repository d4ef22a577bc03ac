package protocol_test

import (
	"reflect"
	"testing"

	"pbochsm/protocol"
)

func TestTokenStates(t *testing.T) {
	for name, want := range map[string][]protocol.TokenState{
		"none": {},
		"one":  {{Name: "main", Serving: true, TAC: "half-xor"}},
		"two":  {{Name: "main", Serving: true, TAC: "host"}, {Name: "second one", TAC: "none"}},
	} {
		s := newServer(t)
		s.Tokens = func() []protocol.TokenState { return want }
		got, err := newClient(t, start(t, s)).Tokens(t.Context())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
