package stream

// Refs is how often f is held.
func Refs(f *Frame) int { return int(f.refs.Load()) }

// MaxIdle is how many frames a pool keeps, Idle how many it has.
const MaxIdle = maxIdle

func Idle(p *Pool) int { return len(p.idle) }
