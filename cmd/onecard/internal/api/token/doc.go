// Package token makes and checks the Token of a request:
//
//	HEX(MD5(K1=V1&K2=V2&…&CHANNELKEY=<key>))
//
// over every member of the body that has a value, except Token itself. Names
// are in upper case as they were sent, without the aliases, and sorted after
// that. The document says "代签名字段均为大写", the signed fields are in upper
// case, which can mean the names, the pairs or the whole string: the three
// profiles. See [API] 4.
//
// The construction is weak by today's measure: MD5, a secret at the end, no
// time and no nonce. What it needs around it is in [API] 4.3.
//
// [API]: docs/api.md
package token
