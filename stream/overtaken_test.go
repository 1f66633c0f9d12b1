package stream_test

import (
	"context"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/framegram/framegram/stream"
)

// boxed is a Source whose frames wait in a mailbox, as those of a receiver do.
type boxed struct{ box *stream.Mailbox }

func (b boxed) Next(ctx context.Context) (*stream.Frame, error) { return b.box.Take(ctx) }
func (b boxed) Close() error                                    { return nil }

// slowly is a Sink that takes a second for a frame.
type slowly struct{ took []int64 }

func (s *slowly) Write(_ context.Context, f *stream.Frame) error {
	s.took = append(s.took, f.Captured.Unix())
	time.Sleep(time.Second)
	return nil
}
func (s *slowly) Close() error { return nil }

// Whoever asks is told of every frame that did not get through, wherever it was
// overtaken: in the mailbox of the source or in that of the pump.
func TestOvertakenFramesAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box, sink := stream.NewMailbox(), new(slowly)
		put := func(captured ...int64) { // at once, so that all but the last are overtaken
			for _, at := range captured {
				f := stream.NewFrame([]byte("jpeg"))
				f.Captured, f.First, f.Ready = time.Unix(at, 0), time.Unix(at+1, 0), time.Unix(at+2, 0)
				box.Put(f)
			}
			synctest.Wait()
		}
		var told []int64
		ctx := stream.WithOvertaken(t.Context(), func(o stream.Overtaken) {
			if at := o.Captured.Unix(); o.First.Unix() != at+1 || o.Ready.Unix() != at+2 || o.Bytes != 4 {
				t.Errorf("told %+v", o)
			}
			told = append(told, o.Captured.Unix())
		})
		ended := make(chan error)
		go func() { ended <- stream.Copy(ctx, sink, boxed{box}) }()
		put(10, 20, 30) // 30 goes to the sink
		put(40)         // waits in the pump
		put(50)         // and is overtaken there
		put(60, 70)     // 60 is overtaken in the source's mailbox, 50 in the pump's
		time.Sleep(2500 * time.Millisecond)
		box.Close(io.EOF)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		slices.Sort(told)
		if want := []int64{10, 20, 40, 50, 60}; !slices.Equal(told, want) || !slices.Equal(sink.took, []int64{30, 70}) {
			t.Errorf("told %v, want %v; the sink took %v, want 30 and 70", told, want, sink.took)
		}
	})
}

// Nobody is told later of what was overtaken while nobody asked, and what a mailbox
// remembers for want of a taker is bounded.
func TestOvertakenIsBounded(t *testing.T) {
	box := stream.NewMailbox()
	told := 0
	ctx := stream.WithOvertaken(t.Context(), func(stream.Overtaken) { told++ })
	for range 5000 {
		box.Put(stream.NewFrame(nil))
	}
	take(t, box)
	box.Put(stream.NewFrame(nil))
	if _, err := box.Take(ctx); err != nil || told != 0 {
		t.Errorf("told of %d frames, %v, want none", told, err)
	}
	for range 5000 {
		box.Put(stream.NewFrame(nil))
	}
	if _, err := box.Take(ctx); err != nil || told != 1024 {
		t.Errorf("told of %d frames, %v, want 1024", told, err)
	}
}
