package api

import (
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"pbochsm/cmd/onecard/internal/api/contract"
	"pbochsm/cmd/onecard/internal/recharge"
)

// retrySoon is the seconds after which a request that the server had no time
// or means for may be sent again.
const retrySoon = 1

// answer writes the answer: the values under the endpoint's names, or the
// refusal. Bytes depend on nothing else, so that a stored answer is answered
// again byte for byte.
func (x *exchange) answer(values []string, refused *refusal) {
	if refused == nil {
		refused = refuse(recharge.Success)
	}
	x.outcome = refused
	result := contract.Find(refused.code)
	text := x.body(result, values)
	h := x.w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	h.Set("Cache-Control", "no-store")
	status := x.status(result)
	if result.Status == http.StatusTooManyRequests || result.Status == http.StatusServiceUnavailable {
		h.Set("Retry-After", strconv.FormatInt(x.retryAfter(), 10))
	}
	if status == http.StatusMethodNotAllowed {
		h.Set("Allow", http.MethodPost)
	}
	x.w.WriteHeader(status)
	_, _ = x.w.Write(text) // who does not read it may ask again
}

// retryAfter is the seconds before which it is no use to send the request
// again. Wrong passwords are forgotten when their minute, or their hour, ends.
func (x *exchange) retryAfter() int64 {
	if x.outcome.spent {
		return 60 - x.api.Now().Unix()%60
	}
	return retrySoon
}

// status is the HTTP status of the outcome.
func (x *exchange) status(result contract.Result) int {
	switch {
	case x.api.Always200:
		return http.StatusOK
	case x.outcome.status != 0:
		return x.outcome.status
	}
	return result.Status
}

// body is the JSON of an answer: ErrorCode and ErrorMsg, then the values.
func (x *exchange) body(result contract.Result, values []string) []byte {
	text := make([]byte, 0, 256)
	text = append(text, `{"ErrorCode":`...)
	text = appendString(text, x.api.Profile.Print(result.Code))
	text = append(text, `,"ErrorMsg":`...)
	text = appendString(text, result.Message(x.language, x.outcome.field))
	for i, value := range values {
		text = append(text, ',')
		text = appendString(text, x.request.endpoint.Answer[i])
		text = append(text, ':')
		text = appendString(text, value)
	}
	return append(text, '}')
}

func appendString(text []byte, value string) []byte {
	quoted, _ := json.Marshal(value) // a string has a JSON form
	return append(text, quoted...)
}

// record writes the line of the log, and counts. It holds names and codes, no
// value that a caller sent but its domain's code, once that is verified.
func (x *exchange) record(begin time.Time) {
	took := x.api.Now().Sub(begin)
	result := contract.Find(x.outcome.code)
	domain := ""
	if x.verified {
		domain = x.request.domain.Code
	}
	x.api.counters.count(x.path(), domain, result.Code, took)
	attrs := []slog.Attr{
		slog.String("id", x.id), slog.String("path", x.path()), slog.String("domain", domain),
		slog.String("code", contract.Profile{}.Print(result.Code)), slog.Int("status", x.status(result)),
		slog.Duration("took", took), slog.String("source", x.request.source),
	}
	if x.outcome.field != "" {
		attrs = append(attrs, slog.String("field", x.outcome.field))
	}
	if x.outcome.cause != nil {
		attrs = append(attrs, slog.String("cause", x.outcome.cause.Error()))
	}
	level := slog.LevelInfo
	if result.Status >= http.StatusInternalServerError || result.Code == recharge.OutcomeUnknown {
		level = slog.LevelError
	}
	x.api.Log.LogAttrs(x.r.Context(), level, "request", attrs...)
}

// path is that of the endpoint. Another one is not told: it is a caller's text.
func (x *exchange) path() string {
	if x.request.endpoint == nil {
		return "other"
	}
	return x.request.endpoint.Path
}

var goodID = regexp.MustCompile(`^[0-9A-Za-z._-]{1,64}$`)

// requestID is the caller's X-Request-Id, if it can stand in a log, or a fresh
// one.
func (a *API) requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); goodID.MatchString(id) {
		return id
	}
	var id [8]byte
	if _, err := io.ReadFull(a.Rand, id[:]); err != nil {
		return "unknown"
	}
	return hex.EncodeToString(id[:])
}
