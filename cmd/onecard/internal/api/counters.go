package api

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"pbochsm/cmd/onecard/internal/api/contract"
	"pbochsm/cmd/onecard/internal/recharge"
)

// counters are what /metrics tells of requests. Labels come from tables and
// from the configuration, never from a caller.
type counters struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	panics   prometheus.Counter
	page     http.Handler
}

func newCounters(a *API) (*counters, error) {
	registry := a.Metrics
	if registry == nil {
		registry = prometheus.NewRegistry()
	}
	c := &counters{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "onecard_requests_total", Help: "Requests by path, domain (empty: not verified) and canonical error code.",
		}, []string{"path", "domain", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "onecard_request_seconds", Help: "Time from the head of a request to its answer.",
			Buckets: []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10},
		}, []string{"path"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "onecard_panics_total", Help: "Requests that ended in a panic.",
		}),
		page: promhttp.HandlerFor(registry, promhttp.HandlerOpts{}),
	}
	working := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "onecard_requests_in_flight", Help: "Requests at work.",
	}, func() float64 { return float64(len(a.work)) })
	var errs []error
	for _, m := range []prometheus.Collector{c.requests, c.seconds, c.panics, working} {
		errs = append(errs, registry.Register(m))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("api: metrics: %w", err)
	}
	return c, nil
}

func (c *counters) count(path, domain string, code recharge.Code, took time.Duration) {
	c.requests.WithLabelValues(path, domain, contract.Profile{}.Print(code)).Inc()
	c.seconds.WithLabelValues(path).Observe(took.Seconds())
}
