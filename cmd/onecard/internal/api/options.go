package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"pbochsm/cmd/onecard/internal/api/contract"
	"pbochsm/cmd/onecard/internal/api/token"
	"pbochsm/cmd/onecard/internal/recharge"
)

// Options are what an API is made of. They are not changed after New.
type Options struct {
	Service Service
	Keys    *recharge.Keys // make the fingerprints of requests
	Domains []Domain
	Nonces  Nonces // of X-Signature; may be nil where no domain must send one

	Rules     contract.Rules
	Profile   contract.Profile
	Language  contract.Language // of ErrorMsg, unless Accept-Language chooses
	Always200 bool              // HTTP status 200 whatever happened

	Now  func() time.Time
	Rand io.Reader // of request ids and of the key that no domain has
	Log  *slog.Logger

	Metrics     *prometheus.Registry                    // nil: one of its own
	HideMetrics bool                                    // served by Probes alone
	Ready       func(context.Context) ([]string, error) // nil, and what more readyz says
	Limits      Limits
	Proxies     []netip.Prefix // whose X-Forwarded-For is believed

	// Sandbox serves /_sim/. It is set by dev and demo alone; without it there
	// is no such path, and the pages do not offer to sign.
	Sandbox http.Handler
	// AfterToken is asked between the token and the work; the sandbox makes
	// requests fail here. An error is answered with 9001. Nil: no one.
	AfterToken func(ctx context.Context, path string) error
}

// Nonces sees that each nonce of an owner is used once, whichever process it
// comes to. now is for forgetting those whose time, until, is over. The errors
// are those of a recharge.Ledger: ErrConflict if it was used before.
type Nonces interface {
	TakeNonce(ctx context.Context, owner, nonce string, now, until time.Time) error
}

// A Domain is a caller: one OrigionDomain. See [API] 5.
type Domain struct {
	Code         string
	Key          Key            // CHANNELKEY
	ChannelKeys  map[string]Key // instead, by ChannelNo
	SignatureKey Key            // X-Signature is required if it is set
	Token        token.Rule
	Unknown      bool // fields that nobody knows are signed and then ignored

	Endpoints []string // paths
	Terminals []string // that may be named in TermNo; none: all
}

// A Key is a secret text. It holds a pointer so that no way of printing a
// structure around it, or logging it, shows the text.
type Key struct{ text *string }

// NewKey makes a key of text.
func NewKey(text string) Key { return Key{&text} }

// set tells whether there is one.
func (k Key) set() bool { return k.text != nil && *k.text != "" }

func (k Key) reveal() string {
	if k.text == nil {
		return ""
	}
	return *k.text
}

// A Rate is how often something may happen; the zero Rate sets no bound.
type Rate struct {
	PerSecond float64
	Burst     int
}

// Limits bound what callers can make the process do. Zero is a default, except
// that a Rate of zero is no bound.
type Limits struct {
	PerDomain Rate // requests with a good token
	PerSource Rate // requests of an address
	BadTokens Rate // refused tokens of an address; 5 in a second, bursts of 50

	InFlight    int // requests at work at once; 1024
	Connections int // open at once; 4096
	PerAddress  int // of them from one address; 1024

	Header  time.Duration // for the head of a request; 5 s
	Request time.Duration // for all of it; 5 s
	Answer  time.Duration // for the work and the answer; 30 s
	Idle    time.Duration // between requests; 60 s
}

// complete fills in the defaults.
func (l *Limits) complete() {
	if l.BadTokens == (Rate{}) {
		l.BadTokens = Rate{PerSecond: 5, Burst: 50}
	}
	for _, d := range []struct {
		at    *int
		value int
	}{{&l.InFlight, 1024}, {&l.Connections, 4096}, {&l.PerAddress, 1024}} {
		if *d.at == 0 {
			*d.at = d.value
		}
	}
	for _, d := range []struct {
		at    *time.Duration
		value time.Duration
	}{{&l.Header, 5 * time.Second}, {&l.Request, 5 * time.Second}, {&l.Answer, 30 * time.Second}, {&l.Idle, time.Minute}} {
		if *d.at == 0 {
			*d.at = d.value
		}
	}
}

// check refuses options that the API cannot work with.
func (o *Options) check() error {
	if o.Service == nil || o.Keys == nil || o.Now == nil || o.Rand == nil || o.Log == nil || o.Ready == nil {
		return errors.New("api: Service, Keys, Now, Rand, Log and Ready must be set")
	}
	known := map[string]bool{}
	for i := range o.Domains {
		d := &o.Domains[i]
		if known[strings.ToUpper(d.Code)] {
			return fmt.Errorf("api: domain %s occurs twice", d.Code)
		}
		known[strings.ToUpper(d.Code)] = true
		if d.SignatureKey.set() && o.Nonces == nil {
			return fmt.Errorf("api: domain %s must sign, and nothing keeps its nonces", d.Code)
		}
		if err := d.check(); err != nil {
			return fmt.Errorf("api: domain %s: %w", d.Code, err)
		}
	}
	return nil
}

func (d *Domain) check() error {
	if !d.Key.set() {
		return errors.New("no key")
	}
	for channel, key := range d.ChannelKeys {
		if !key.set() {
			return fmt.Errorf("channel %s has no key", channel)
		}
	}
	for _, path := range d.Endpoints {
		if !slices.ContainsFunc(contract.Endpoints(), func(e contract.Endpoint) bool { return e.Path == path }) {
			return fmt.Errorf("no endpoint %s", path)
		}
	}
	return nil
}
