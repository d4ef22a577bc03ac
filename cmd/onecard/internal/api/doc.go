// Package api is the HTTP side of onecard: it turns requests of the document's
// eleven endpoints, and of the extensions, into questions to package recharge,
// and the answers back. It knows spellings, tokens and error codes; it decides
// nothing about money, keeps nothing, and computes no card cryptography.
//
// A request passes one order, and is refused at the first that does not hold:
// method, size and content type; one flat JSON object; the names of the
// endpoint, and the characters of each value; the token; what the domain may
// use; the shape of each value; and then package recharge, which looks for a
// stored answer before anything that a clock or a setting could change. See
// [API] 1.
//
// [API]: docs/api.md
package api
