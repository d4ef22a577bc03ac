package lanes

// core64 is plain Go on plain words: 64 lanes on any processor.
var core64 = kernels[uint64]{
	lanes: 64,
	load:  load64, store: store64, fill: fill64,
	rounds: rounds64, wire: wire64, fold: fold64,
	add: add64, invert: invert64, choose: choose64, part: part64,
}

// rounds64 takes the rounds in pairs, because each changes one half.
func rounds64(l, r *half[uint64], k *key[uint64], turns *[16]uint8) {
	for i := 0; i < len(turns); i += 2 {
		round64(l, r, (*[3 * 28]uint64)(k[turns[i]:]))
		round64(r, l, (*[3 * 28]uint64)(k[turns[i+1]:]))
	}
}

func wire64(k *key[uint64], from *block[uint64], s *laneSet) {
	m := s[0]
	for _, run := range &keyRuns {
		h := from.l
		if run.from >= 32 {
			h = from.r
		}
		first, again := k[run.to:][:run.n], k[run.to+28:][:run.n]
		for i, w := range h[run.from%32:][:run.n] {
			first[i] = pick(w, first[i], m)
			again[i] = first[i]
		}
	}
}

func fold64(k, left, right *key[uint64], s *laneSet) {
	m := s[0]
	for i := range k {
		k[i] = pick(left[i]^right[i], k[i], m)
	}
}

func add64(to, from *block[uint64]) {
	for i := range to.l {
		to.l[i] ^= from.l[i]
		to.r[i] ^= from.r[i]
	}
}

func invert64(b *block[uint64], s *laneSet) {
	m := s[0]
	for i := range b.l {
		b.l[i] ^= m
		b.r[i] ^= m
	}
}

func choose64(to, from *block[uint64], s *laneSet) {
	m := s[0]
	for i := range to.l {
		to.l[i] = pick(from.l[i], to.l[i], m)
		to.r[i] = pick(from.r[i], to.r[i], m)
	}
}

func part64(lower, upper, from *block[uint64]) {
	for i := range from.l {
		l, r := from.l[i], from.r[i]
		lower.l[i], upper.l[i] = l<<32|l<<32>>32, l>>32|l>>32<<32
		lower.r[i], upper.r[i] = r<<32|r<<32>>32, r>>32|r>>32<<32
	}
}

// pick takes the lanes in m from a and the others from b.
func pick(a, b, m uint64) uint64 { return b ^ (a^b)&m }
