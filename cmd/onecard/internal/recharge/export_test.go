package recharge

// CountHashes calls count for each password hash that s computes.
func (s *Service) CountHashes(count func()) {
	derive := s.hasher.derive
	s.hasher.derive = func(password, salt []byte, passes, memory uint32, threads uint8, size uint32) []byte {
		count()
		return derive(password, salt, passes, memory, threads, size)
	}
}
