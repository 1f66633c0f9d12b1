package fragment

// Cut says how the frame cut last was: into so many blocks, the first of which, and no other by
// more than one, has k data fragments, each with p of parity.
func (s *Splitter) Cut() (blocks, k, p int) {
	if s.cut.blocks == 0 {
		return 0, 0, 0
	}
	return s.cut.blocks, s.cut.k(0), s.cut.p
}
