package sim

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"pbochsm/cmd/onecard/internal/api/contract"
	"pbochsm/cmd/onecard/internal/api/flat"
	"pbochsm/cmd/onecard/internal/api/token"
)

//go:embed console
var console embed.FS

// Handler answers below /_sim/.
func (w *World) Handler() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /_sim/cards", answering(w.listCards))
	m.HandleFunc("POST /_sim/cards", answering(w.newCard))
	m.HandleFunc("GET /_sim/cards/{no}", answering(w.showCard))
	m.HandleFunc("POST /_sim/cards/{no}/{action}", answering(w.useCard))
	for _, kind := range []string{"orders", "accounts", "recharge-cards", "corp-accounts"} {
		m.HandleFunc("GET /_sim/"+kind, answering(func(r *http.Request) (any, error) { return w.books().List(r.Context(), kind) }))
		m.HandleFunc("POST /_sim/"+kind, answering(func(r *http.Request) (any, error) {
			made, err := w.books().Make(r.Context(), kind, r.Body)
			if err == nil {
				w.hub.publish(kind, "", "one made")
			}
			return made, err
		}))
	}
	m.HandleFunc("GET /_sim/clock", answering(w.showClock))
	m.HandleFunc("POST /_sim/clock", answering(w.setClock))
	m.HandleFunc("GET /_sim/faults", answering(func(*http.Request) (any, error) { return w.faults.Armed(), nil }))
	m.HandleFunc("POST /_sim/faults", answering(w.armFault))
	m.HandleFunc("DELETE /_sim/faults", answering(func(*http.Request) (any, error) { w.faults.Clear(); return []Fault{}, nil }))
	m.HandleFunc("POST /_sim/reset", answering(func(r *http.Request) (any, error) {
		return w.done("reset", w.reset(context.WithoutCancel(r.Context())))
	}))
	m.HandleFunc("PUT /_sim/snapshot/{name}", answering(func(r *http.Request) (any, error) {
		return w.done("snapshot "+r.PathValue("name"), w.snapshot(context.WithoutCancel(r.Context()), r.PathValue("name")))
	}))
	m.HandleFunc("POST /_sim/snapshot/{name}", answering(func(r *http.Request) (any, error) {
		return w.done("back to snapshot "+r.PathValue("name"), w.restore(context.WithoutCancel(r.Context()), r.PathValue("name")))
	}))
	m.HandleFunc("POST /_sim/sign", answering(w.sign))
	m.HandleFunc("GET /_sim/explain/{id}", answering(w.explain))
	m.HandleFunc("GET /_sim/events", w.hub.stream)
	pages, err := fs.Sub(console, "console")
	if err != nil {
		panic("sim: internal error: " + err.Error()) // the folder is part of the program
	}
	m.Handle("GET /_sim/", http.StripPrefix("/_sim/", http.FileServerFS(pages)))
	return m
}

func (w *World) books() Books {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.now.Books
}

func (w *World) done(what string, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	w.hub.publish("world", "", "%s", what)
	return map[string]string{"done": what}, nil
}

// A clockView is the clock of the sandbox.
type clockView struct {
	Now  time.Time `json:"now"`
	Held bool      `json:"held"`
}

func (w *World) showClock(*http.Request) (any, error) {
	return clockView{w.clock.Now().In(w.o.Zone), w.clock.Held()}, nil
}

// setClock holds or moves the clock; an empty object lets it run again.
func (w *World) setClock(r *http.Request) (any, error) {
	var q struct {
		Now     *time.Time `json:"now"`
		Held    bool       `json:"held"`
		Advance string     `json:"advance"`
	}
	if err := decode(r, &q); err != nil {
		return nil, err
	}
	switch {
	case q.Now != nil:
		w.clock.Set(*q.Now, q.Held)
	case q.Advance != "":
		d, err := time.ParseDuration(q.Advance)
		if err != nil {
			return nil, fmt.Errorf("%w: advance: %w", ErrRequest, err)
		}
		w.clock.Advance(d)
	case q.Held:
		w.clock.Set(w.clock.Now(), true)
	default:
		w.clock.Run()
	}
	w.hub.publish("clock", "", "%s", w.clock.Now().In(w.o.Zone).Format(time.DateTime))
	return w.showClock(r)
}

func (w *World) armFault(r *http.Request) (any, error) {
	var q struct {
		Point Point  `json:"point"`
		Path  string `json:"path"`
		Times int    `json:"times"`
		Delay string `json:"delay"`
	}
	if err := decode(r, &q); err != nil {
		return nil, err
	}
	f := Fault{Point: q.Point, Path: q.Path, Times: max(q.Times, 1)}
	if q.Delay != "" {
		d, err := time.ParseDuration(q.Delay)
		if err != nil {
			return nil, fmt.Errorf("%w: delay: %w", ErrRequest, err)
		}
		f.Delay = d
	}
	if f.Path != "" && !w.calls[f.Path] {
		return nil, fmt.Errorf("%w: the API has no path %q", ErrRequest, f.Path)
	}
	if err := w.faults.Arm(f); err != nil {
		return nil, err
	}
	w.hub.publish("fault", "", "armed: %s, %d times", f.Point, f.Times)
	return w.faults.Armed(), nil
}

// sign makes the Token of a body. The key stays here.
func (w *World) sign(r *http.Request) (any, error) {
	var q struct {
		Path string            `json:"path"`
		Body map[string]string `json:"body"`
	}
	if err := decode(r, &q); err != nil {
		return nil, err
	}
	var object flat.Object
	aliases := contract.Aliases()
	for name, value := range q.Body {
		m := flat.Member{Name: strings.ToUpper(name), Key: strings.ToUpper(name), Value: value}
		if key, ok := aliases[m.Name]; ok {
			m.Key = key
		}
		object = append(object, m)
	}
	domain, _ := object.Value("ORIGIONDOMAIN")
	key, ok := w.keys[strings.ToUpper(domain)]
	if !ok {
		return nil, fmt.Errorf("%w: no domain %q; there are APPM, WEBM and TERM", ErrNotFound, domain)
	}
	made, err := token.Make(token.Pair, token.UTF8, object, key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	return map[string]string{"Token": made}, nil
}

// AfterToken is asked by the API when a token was good.
func (w *World) AfterToken(ctx context.Context, _ string) error {
	if hitting(ctx, AfterToken) {
		return fmt.Errorf("sim: fault %s", AfterToken)
	}
	return nil
}
