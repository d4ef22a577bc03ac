package api

import (
	"slices"
	"strings"

	"pbochsm/cmd/onecard/internal/recharge"
)

// permits looks whether the domain may use the endpoint, and the terminal. The
// path takes no part in the token, so this is what ties a request to it.
// Merchants and departments are looked at where the ledger is.
func (d *Domain) permits(r *request) *refusal {
	if !slices.Contains(d.Endpoints, r.endpoint.Path) {
		return refuse(recharge.NoPermission)
	}
	terminal := r.value("TERMNO")
	if terminal == "" || len(d.Terminals) == 0 {
		return nil
	}
	if !slices.ContainsFunc(d.Terminals, func(t string) bool { return strings.EqualFold(t, terminal) }) {
		return refuseField(recharge.NotYours, r.endpoint.spelling("TERMNO"))
	}
	return nil
}

// key is the domain's CHANNELKEY, or that of the channel.
func (d *Domain) key(channel string) string {
	for c, k := range d.ChannelKeys {
		if strings.EqualFold(c, channel) {
			return k.reveal()
		}
	}
	return d.Key.reveal()
}
