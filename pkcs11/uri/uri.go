package uri

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Errors of Parse.
var (
	ErrScheme = errors.New("uri: not a PKCS#11 URI: it must begin with pkcs11 and a colon")
	ErrSyntax = errors.New("uri: not well formed")
	// ErrPINValue does not quote what stood there.
	ErrPINValue = errors.New("uri: a PIN must not stand in a URI: use pin-source")
)

// maxLength bounds a URI, in bytes.
const maxLength = 4096

// A URI names a token, or an object in one; an empty member says nothing. See
// [RFC 7512], section 2.3.
type URI struct {
	Token        string // label of the token
	Manufacturer string
	Model        string
	Serial       string
	Slot         *uint // slot-id

	Object string // label of the object
	ID     string // CKA_ID, the bytes themselves
	Type   string // class of the object: secret-key and others

	ModulePath string
	PINSource  string // a file by its path or as file:, or - for standard input
}

// An attribute is a member of a URI with the characters of its place.
type attribute struct {
	name   string
	get    func(*URI) string
	set    func(*URI, string) error
	binary bool // any bytes, all of them escaped
}

func text(name string, member func(*URI) *string) attribute {
	return attribute{
		name: name,
		get:  func(u *URI) string { return *member(u) },
		set: func(u *URI, v string) error {
			if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
				return fmt.Errorf("%w: %s is not text", ErrSyntax, name)
			}
			*member(u) = v
			return nil
		},
	}
}

// path are the attributes before the question mark.
var path = []attribute{
	text("token", func(u *URI) *string { return &u.Token }),
	text("manufacturer", func(u *URI) *string { return &u.Manufacturer }),
	text("model", func(u *URI) *string { return &u.Model }),
	text("serial", func(u *URI) *string { return &u.Serial }),
	{name: "slot-id", get: getSlot, set: setSlot},
	text("object", func(u *URI) *string { return &u.Object }),
	{
		name: "id", binary: true,
		get: func(u *URI) string { return u.ID },
		set: func(u *URI, v string) error { u.ID = v; return nil },
	},
	{name: "type", get: func(u *URI) string { return u.Type }, set: setType},
}

// query are the attributes behind it.
var query = []attribute{
	text("module-path", func(u *URI) *string { return &u.ModulePath }),
	text("pin-source", func(u *URI) *string { return &u.PINSource }),
	{
		name: "pin-value",
		get:  func(*URI) string { return "" },
		set:  func(*URI, string) error { return ErrPINValue },
	},
}

func getSlot(u *URI) string {
	if u.Slot == nil {
		return ""
	}
	return strconv.FormatUint(uint64(*u.Slot), 10)
}

func setSlot(u *URI, v string) error {
	n, err := strconv.ParseUint(v, 10, 32)
	if err != nil || strconv.FormatUint(n, 10) != v {
		return fmt.Errorf("%w: slot-id is not a number", ErrSyntax)
	}
	slot := uint(n)
	u.Slot = &slot
	return nil
}

func setType(u *URI, v string) error {
	for _, t := range []string{"public", "private", "cert", "secret-key", "data"} {
		if v == t {
			u.Type = v
			return nil
		}
	}
	return fmt.Errorf("%w: unknown type of object", ErrSyntax)
}

// Parse reads a URI.
func Parse(s string) (URI, error) {
	var u URI
	rest, ok := strings.CutPrefix(s, "pkcs11:")
	if !ok {
		return URI{}, ErrScheme
	}
	if len(s) > maxLength {
		return URI{}, fmt.Errorf("%w: longer than %d bytes", ErrSyntax, maxLength)
	}
	before, after, asked := strings.Cut(rest, "?")
	if err := u.read(before, ";", path, pathMarks); err != nil {
		return URI{}, err
	}
	if asked && after == "" {
		return URI{}, fmt.Errorf("%w: nothing follows the question mark", ErrSyntax)
	}
	if err := u.read(after, "&", query, queryMarks); err != nil {
		return URI{}, err
	}
	return u, nil
}

func (u *URI) read(list, separator string, known []attribute, marks string) error {
	if list == "" {
		return nil
	}
	seen := map[string]bool{}
	for _, item := range strings.Split(list, separator) {
		name, value, ok := strings.Cut(item, "=")
		a := find(known, name)
		switch {
		case !ok && a == nil:
			return fmt.Errorf("%w: an attribute without a value", ErrSyntax)
		case a == nil:
			return fmt.Errorf("%w: unknown attribute %q", ErrSyntax, name)
		case seen[name]:
			return fmt.Errorf("%w: %s is there twice", ErrSyntax, name)
		case name == "pin-value":
			return ErrPINValue
		}
		seen[name] = true
		v, err := unescape(value, marks)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrSyntax, name, err)
		}
		if v == "" {
			return fmt.Errorf("%w: %s is empty", ErrSyntax, name)
		}
		if err := a.set(u, v); err != nil {
			return err
		}
	}
	return nil
}

func find(known []attribute, name string) *attribute {
	for i := range known {
		if known[i].name == name {
			return &known[i]
		}
	}
	return nil
}

// String writes the URI, attributes in a fixed order.
func (u URI) String() string {
	s := "pkcs11:" + u.write(path, ";", pathMarks)
	if q := u.write(query, "&", queryMarks); q != "" {
		s += "?" + q
	}
	return s
}

func (u *URI) write(known []attribute, separator, marks string) string {
	var items []string
	for _, a := range known {
		v := a.get(u)
		if v == "" {
			continue
		}
		if a.binary {
			items = append(items, a.name+"="+escape(v, none)) // as the specification recommends
			continue
		}
		items = append(items, a.name+"="+escape(v, marks))
	}
	return strings.Join(items, separator)
}
