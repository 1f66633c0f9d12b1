package stream_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/framegram/framegram/stream"
)

// take takes what waits: its ID, or 0.
func take(t *testing.T, box *stream.Mailbox) (uint32, error) {
	t.Helper()
	f, err := box.TryTake()
	if f == nil {
		return 0, err
	}
	if err != nil {
		t.Errorf("TryTake gave frame %d and %v", f.ID, err)
	}
	defer f.Release()
	return f.ID, nil
}

func TestMailboxKeepsTheNewest(t *testing.T) {
	var l ledger
	box := stream.NewMailbox()
	if id, err := take(t, box); id != 0 || err != nil {
		t.Errorf("an empty mailbox gave %d, %v", id, err)
	}
	for id := range uint32(3) {
		box.Put(l.get(id + 1))
	}
	if id, err := take(t, box); id != 3 || err != nil {
		t.Errorf("got %d, %v, want 3", id, err)
	}
	if id, err := take(t, box); id != 0 || err != nil {
		t.Errorf("the same frame twice: %d, %v", id, err)
	}
	if n := box.Replaced(); n != 2 {
		t.Errorf("%d replaced, want 2", n)
	}
	l.check(t)
}

func TestMailboxEnds(t *testing.T) {
	var l ledger
	box := stream.NewMailbox()
	box.Put(l.get(1))
	box.Close(io.EOF)
	box.Close(errors.New("too late"))
	box.Put(l.get(2)) // not kept, and no replacement either
	for i, want := range []struct {
		id  uint32
		err error
	}{{1, nil}, {0, io.EOF}, {0, io.EOF}} {
		if id, err := take(t, box); id != want.id || err != want.err {
			t.Errorf("take %d: got %d, %v, want %+v", i, id, err, want)
		}
	}
	if n := box.Replaced(); n != 0 {
		t.Errorf("%d replaced, want none", n)
	}
	l.check(t)
}

func TestMailboxDrain(t *testing.T) {
	var l ledger
	box := stream.NewMailbox()
	box.Put(l.get(1))
	box.Drain(io.EOF)
	if id, err := take(t, box); id != 0 || err != io.EOF {
		t.Errorf("got %d, %v, want the end", id, err)
	}
	l.check(t)
}

func TestMailboxTakeWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l ledger
		box := stream.NewMailbox()
		go func() {
			time.Sleep(time.Second)
			box.Put(l.get(1))
			time.Sleep(time.Second)
			box.Close(io.EOF)
		}()
		start := time.Now()
		f, err := box.Take(t.Context())
		if err != nil || f.ID != 1 || time.Since(start) != time.Second {
			t.Fatalf("got %v, %v after %v", f, err, time.Since(start))
		}
		f.Release()
		if f, err := box.Take(t.Context()); f != nil || err != io.EOF || time.Since(start) != 2*time.Second {
			t.Fatalf("got %v, %v after %v, want the end", f, err, time.Since(start))
		}
		l.check(t)
	})
}

func TestMailboxTakeIsCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("why")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(why) })
		if f, err := stream.NewMailbox().Take(ctx); f != nil || err != why {
			t.Errorf("got %v, %v, want %v", f, err, why)
		}
	})
}

// Whoever selects on Ready must hear of every frame and of the end, also when both
// came before it looked.
func TestMailboxReady(t *testing.T) {
	var l ledger
	box := stream.NewMailbox()
	box.Put(l.get(1))
	box.Close(io.EOF)
	for i, want := range []uint32{1, 0} {
		select {
		case <-box.Ready():
		default:
			t.Fatalf("no token %d", i)
		}
		if id, _ := take(t, box); id != want {
			t.Errorf("got %d, want %d", id, want)
		}
	}
	l.check(t)
}

// Several put, one takes: what is taken rises for each putter, and every frame was
// taken or counted.
func TestMailboxConcurrently(t *testing.T) {
	const putters, each = 4, 2000
	var l ledger
	box := stream.NewMailbox()
	var wg sync.WaitGroup
	for p := range uint32(putters) {
		wg.Go(func() {
			for i := range uint32(each) {
				box.Put(l.get(p*each + i + 1))
			}
		})
	}
	go func() { wg.Wait(); box.Close(io.EOF) }()
	var taken []uint32
	for {
		f, err := box.Take(t.Context())
		if err != nil {
			break
		}
		taken = append(taken, f.ID)
		f.Release()
	}
	if total := uint64(len(taken)) + box.Replaced(); total != putters*each {
		t.Errorf("%d taken + %d replaced, want %d", len(taken), box.Replaced(), putters*each)
	}
	for p := range uint32(putters) {
		var ids []uint32
		for _, id := range taken {
			if (id-1)/each == p {
				ids = append(ids, id)
			}
		}
		if !slices.IsSorted(ids) {
			t.Errorf("the frames of putter %d came out of order", p)
		}
	}
	l.check(t)
}
