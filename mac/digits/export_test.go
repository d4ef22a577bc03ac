package digits

// Plain is Decode as it is on processors without AVX2.
var Plain = decode

// PlainPattern is Pattern.Decode there.
var PlainPattern = (*Pattern).decode
