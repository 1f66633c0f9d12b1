package rate

import (
	"math"
	"slices"
	"time"
)

// newLink is for a viewer that is heard for the first time: it begins where the stream is.
func (c *Controller) newLink(group bool, now time.Time) *link {
	l := &link{group: group, target: c.target(now), good: math.Inf(1), every: 1, turn: now}
	if math.IsInf(l.target, 1) {
		l.phase = free
	}
	return l
}

// expire forgets those who are silent.
func (c *Controller) expire(now time.Time) {
	for name, l := range c.links {
		if now.Sub(l.seen) > life {
			delete(c.links, name)
		}
	}
}

// target is what the encode is kept within, in bit/s. It may be infinite.
func (c *Controller) target(now time.Time) float64 {
	most := math.Inf(1)
	if c.cfg.Most > 0 {
		most = float64(c.cfg.Most)
	}
	if c.cfg.Blind {
		return most
	}
	alone, group, _ := c.audience(now)
	target := math.Inf(1)
	switch {
	case alone != nil:
		target = alone.target
	case group == 0 && (c.began.IsZero() || now.Sub(c.began) < nobody):
		if target = float64(c.cfg.Start); target < 0 {
			target = math.Inf(1)
		}
	}
	if group > 0 {
		target = min(target, group)
	}
	return min(target, most)
}

// audience is the fastest viewer of those with an address of their own, and what the
// slowest member of a group carries, 0 without one, but no less than a quarter of what
// the median member does (the upper one of two). who is the one of the group.
func (c *Controller) audience(now time.Time) (alone *link, group float64, who *link) {
	c.members = c.members[:0]
	for _, l := range c.links {
		switch {
		case now.Sub(l.seen) > life:
		case l.group:
			c.members = append(c.members, l.target)
			if who == nil || l.target < who.target {
				who = l
			}
		case alone == nil || l.target > alone.target || l.target == alone.target && l.queue < alone.queue:
			alone = l
		}
	}
	if who == nil {
		return alone, 0, nil
	}
	slices.Sort(c.members)
	return alone, max(who.target, c.members[len(c.members)/2]/4), who
}

// follows is the viewer whose link the encode is kept within; nil without one.
func (c *Controller) follows(now time.Time) *link {
	alone, group, who := c.audience(now)
	if who != nil && (alone == nil || group < alone.target) {
		return who
	}
	return alone
}

// drain is by how much less is sent while a queue stands, 0.5..1.
func (c *Controller) drain(now time.Time) float64 {
	l := c.follows(now)
	if l == nil || l.queue < fullQueue || now.Sub(l.seen) > 300*time.Millisecond {
		return 1
	}
	return max(1-(l.queue-fullQueue).Seconds()/0.4, 0.5)
}
