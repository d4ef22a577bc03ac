package sm4

import "pbochsm/mac/lanes/gen/field"

// entry leads from a byte to what is inverted in AES's field, and exit from the
// inverse to the S-box of SM4.
func entry() field.Affine {
	to := field.Isomorphism()
	return field.Affine{Matrix: to.After(field.OuterSM4), Constant: to.Of(field.ConstantSM4)}
}

func exit() field.Affine {
	return field.Affine{Matrix: field.OuterSM4.After(field.Isomorphism().Inverse()), Constant: field.ConstantSM4}
}

// exitAES leads from the S-box of AES, instead of the inverse.
func exitAES() field.Affine {
	back := exit().Matrix.After(field.OuterAES.Inverse())
	return field.Affine{Matrix: back, Constant: field.ConstantSM4 ^ back.Of(field.ConstantAES)}
}

// operandOf is a matrix as GF2P8AFFINEQB takes it: the row of the highest bit
// in the lowest byte.
func operandOf(m field.Matrix) (q uint64) {
	for i, row := range m {
		q |= uint64(row) << (8 * (7 - i))
	}
	return q
}
