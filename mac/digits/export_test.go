package digits

// Plain is Decode as it is on processors without AVX2.
var Plain = decode

// PlainPattern is Pattern.Decode there.
var PlainPattern = (*Pattern).decode

// WithoutWide is a pattern as it is on processors without AVX-512.
func WithoutWide(p *Pattern) *Pattern {
	own := *p
	own.wide = nil
	return &own
}
