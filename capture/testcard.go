package capture

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"time"

	"github.com/framegram/framegram/stream"
	"github.com/framegram/framegram/timecode"
)

// maxCardSide bounds the test card, in pixels: 8K has 7680.
const maxCardSide = 8192

// testCard is a source of test cards. Slot n of the schedule is picture n.
type testCard struct {
	*counters
	desc Info
	pace pace
	card *card
}

func openTestCard(cfg Config) (stream.Source, error) {
	size := cmp.Or(cfg.Size, DefaultSize)
	if err := checkSize(size, minSide, maxCardSide); err != nil {
		return nil, &ConfigError{"size", fmt.Errorf("is %w", err)}
	}
	cfg.Timecode = cfg.Timecode || size.X >= timecode.MinWidth && size.Y >= timecode.MinHeight
	fps := cmp.Or(cfg.FPS, DefaultFPS)
	card, err := newCard(size, fps)
	if err != nil {
		return nil, fmt.Errorf("capture: painting the test card: %w", err)
	}
	s := &testCard{
		counters: new(counters),
		desc:     Info{Name: "test card", Size: size, FPS: fps},
		pace:     pace{fps: fps},
		card:     card,
	}
	return newEncoder(s, cfg, image.Point{})
}

// next implements pictures.
func (s *testCard) next(ctx context.Context) (picture, error) {
	slot, err := s.pace.wait(ctx)
	if err != nil {
		return picture{}, err
	}
	now := time.Now()
	s.late.Add(slot - s.pictures.Load())
	s.pictures.Store(slot + 1)
	s.card.paint(uint32(slot), now)
	return picture{s.card.img, uint32(slot), now}, nil
}

// Close implements pictures.
func (s *testCard) Close() error { return nil }

// Info implements [Reporter].
func (s *testCard) Info() Info { return s.desc }
