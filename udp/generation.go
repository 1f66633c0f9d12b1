package udp

// tell numbers the generation of a JPEG's header, so that viewers know whether what they
// have kept of an earlier frame still fits.
func (s *Sender) tell(jpeg []byte) {
	if s.cfg.Head == nil {
		return
	}
	n := s.cfg.Head(jpeg)
	if n < 0 || n > len(jpeg) {
		n = 0
	}
	s.cut.SetGeneration(s.generation.Next(jpeg[:n]))
}
