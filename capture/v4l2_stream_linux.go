package capture

import (
	"bytes"
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/framegram/framegram/codec"
)

// v4l2Stream is a camera that is giving JPEGs.
//
// Frames are stamped when they are dequeued. The driver's own stamps would be nearer
// to the exposure where they are sound, but some count from the start of the picture,
// some from its end, and with some cameras uvcvideo's wander; none could be told from
// the others here.
type v4l2Stream struct {
	*jpegs
	node v4l2Node
	max  int // bytes of a JPEG
	bufs [][]byte
	on   bool
	buf  v4l2Buffer // of the feed's goroutine
}

// wantBuffers: one being filled, one ready, one being read, one to spare for a reader
// that is late. More would only let stale pictures wait.
const wantBuffers, maxBuffers = 4, 32

// begin maps the buffers, queues them and starts the camera. After an error stop must
// follow.
func (v *v4l2Stream) begin() error {
	v.read, v.name = v.next, func() string { return fmt.Sprint("buffer ", v.buf.sequence) }
	v.interrupt, v.finish = v.node.interrupt, v.stop
	r := v4l2RequestBuffers{count: wantBuffers, typ: bufVideoCapture, memory: memoryMMap}
	if err := v.node.ioctl(vidiocReqBufs, unsafe.Pointer(&r)); err != nil {
		return fmt.Errorf("gives no buffers: %w", err)
	}
	if r.count < 1 || r.count > maxBuffers {
		return fmt.Errorf("gives %d buffers, want 1..%d", r.count, maxBuffers)
	}
	for i := range r.count {
		b := v4l2Buffer{index: i, typ: bufVideoCapture, memory: memoryMMap}
		if err := v.node.ioctl(vidiocQueryBuf, unsafe.Pointer(&b)); err != nil {
			return fmt.Errorf("does not say where buffer %d is: %w", i, err)
		}
		mem, err := v.node.mmap(b.offset(), int(b.length))
		if err != nil {
			return fmt.Errorf("does not share buffer %d of %d bytes: %w", i, b.length, err)
		}
		v.bufs = append(v.bufs, mem)
		if err := v.queue(i); err != nil {
			return err
		}
	}
	typ := int32(bufVideoCapture)
	if err := v.node.ioctl(vidiocStreamOn, unsafe.Pointer(&typ)); err != nil {
		return fmt.Errorf("does not start: %w", err)
	}
	v.on = true
	return nil
}

func (v *v4l2Stream) queue(index uint32) error {
	v.buf = v4l2Buffer{index: index, typ: bufVideoCapture, memory: memoryMMap, sequence: v.buf.sequence}
	if err := v.node.ioctl(vidiocQBuf, unsafe.Pointer(&v.buf)); err != nil {
		return fmt.Errorf("does not take buffer %d back: %w", index, err)
	}
	return nil
}

// stop undoes begin, as far as that came, and closes the node. It is called when
// nobody reads any more.
func (v *v4l2Stream) stop() {
	if v.on {
		typ := int32(bufVideoCapture)
		v.node.ioctl(vidiocStreamOff, unsafe.Pointer(&typ))
	}
	for _, b := range v.bufs {
		v.node.munmap(b)
	}
	v.bufs, v.on = nil, false
	v.node.close()
}

// next is the jpegs' read.
func (v *v4l2Stream) next(dst []byte) ([]byte, error) {
	if err := v.dequeue(); err != nil {
		return dst, err
	}
	b := v.buf // queue needs the struct
	data := v.bufs[b.index]
	data = data[:min(int(b.bytesUsed), len(data))]
	jpeg, err := v.picture(dst, data, b.flags)
	if queueErr := v.queue(b.index); queueErr != nil {
		return dst, queueErr
	}
	if err != nil {
		v.skip(err)
		return dst, errSkip
	}
	return jpeg, nil
}

// spurious is how often, a millisecond apart, a device may claim to have a picture and
// then have none.
const spurious = 1000

func (v *v4l2Stream) dequeue() error {
	for range spurious {
		if err := v.node.wait(stallAfter); err != nil {
			return err
		}
		v.buf = v4l2Buffer{typ: bufVideoCapture, memory: memoryMMap}
		err := v.node.ioctl(vidiocDQBuf, unsafe.Pointer(&v.buf))
		switch {
		case err == nil && int(v.buf.index) >= len(v.bufs):
			return fmt.Errorf("gives buffer %d of %d", v.buf.index, len(v.bufs))
		case err == nil:
			return nil
		case errors.Is(err, unix.ENODEV):
			return fmt.Errorf("was unplugged: %w", err)
		case !errors.Is(err, unix.EAGAIN):
			return fmt.Errorf("fails: %w", err)
		}
		time.Sleep(time.Millisecond)
	}
	return errWaited
}

// picture appends the JPEG in a buffer, without what stands behind its end: drivers
// may count padding in, or what an older picture left there.
func (v *v4l2Stream) picture(dst, data []byte, flags uint32) ([]byte, error) {
	switch {
	case flags&bufFlagError != 0:
		return dst, fmt.Errorf("%w: the driver marks it as damaged", codec.ErrFormat)
	case len(data) == 0:
		return dst, fmt.Errorf("%w: the buffer is empty", codec.ErrFormat)
	}
	n := len(dst)
	dst = append(dst, data...) // first: of some devices' memory, reading is slow
	jpeg := dst[n:]
	if err := whole(jpeg); err != nil {
		return dst[:n], err
	}
	h, err := codec.ParseHeader(jpeg)
	if err != nil {
		return dst[:n], err
	}
	end := h.Scan + bytes.Index(jpeg[h.Scan:], endOfImage) + len(endOfImage)
	if end > v.max {
		return dst[:n], fmt.Errorf("%d bytes, over the limit of %d", end, v.max)
	}
	return dst[:n+end], nil
}
