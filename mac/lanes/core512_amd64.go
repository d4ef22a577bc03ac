package lanes

// The kernels of 512 lanes are in core512_amd64.s, which gen writes.

//go:noescape
func rounds512(l, r *half[[8]uint64], k *key[[8]uint64], turns *[16]uint8)

//go:noescape
func load512(to *block[[8]uint64], rows []uint64)

//go:noescape
func store512(rows []uint64, from *block[[8]uint64])

//go:noescape
func fill512(to *block[[8]uint64], row uint64)

//go:noescape
func wire512(k *key[[8]uint64], from *block[[8]uint64], s *laneSet)

//go:noescape
func fold512(k, left, right *key[[8]uint64], s *laneSet)

//go:noescape
func add512(to, from *block[[8]uint64])

//go:noescape
func invert512(to, from *block[[8]uint64], s *laneSet)

//go:noescape
func choose512(to, from *block[[8]uint64], s *laneSet)

//go:noescape
func part512(lower, upper, from *block[[8]uint64])
