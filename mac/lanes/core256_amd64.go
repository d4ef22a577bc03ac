package lanes

// The kernels of 256 lanes are in core256_amd64.s, which gen writes.

//go:noescape
func rounds256(l, r *half[[4]uint64], k *key[[4]uint64], turns *[16]uint8)

//go:noescape
func load256(to *block[[4]uint64], rows []uint64)

//go:noescape
func store256(rows []uint64, from *block[[4]uint64])

//go:noescape
func fill256(to *block[[4]uint64], row uint64)

//go:noescape
func wire256(k *key[[4]uint64], from *block[[4]uint64], s *laneSet)

//go:noescape
func fold256(k, left, right *key[[4]uint64], s *laneSet)

//go:noescape
func add256(to, from *block[[4]uint64])

//go:noescape
func invert256(to, from *block[[4]uint64], s *laneSet)

//go:noescape
func choose256(to, from *block[[4]uint64], s *laneSet)

//go:noescape
func part256(lower, upper, from *block[[4]uint64])
