package api

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// source is the address of the caller, under which its failures are counted.
// X-Forwarded-For is believed from the right, and only as far as it was
// written by a proxy of ours.
func (a *API) source(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	address := peer.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil || !a.trusts(address) {
			break
		}
		address = next.Unmap()
	}
	return address.WithZone("").String()
}

func (a *API) trusts(proxy netip.Addr) bool {
	return slices.ContainsFunc(a.Proxies, func(p netip.Prefix) bool { return p.Contains(proxy) })
}
