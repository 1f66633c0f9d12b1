package capture

import (
	"encoding/binary"
	"io/fs"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// fakeSys is a machine with cameras that exist in a test only. It answers as the
// kernel's videobuf2 and uvcvideo do; what their man pages (VIDIOC_*(2) of the V4L2
// documentation) forbid is EINVAL.
type fakeSys struct {
	mu    sync.Mutex
	cams  map[string]*fakeCam
	fails map[string]error // of open
	hang  chan struct{}    // open waits for it
}

func (s *fakeSys) list() (paths []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.cams {
		paths = append(paths, p)
	}
	for p := range s.fails {
		if s.cams[p] == nil {
			paths = append(paths, p)
		}
	}
	return paths, nil
}

func (s *fakeSys) open(path string) (v4l2Node, error) {
	if s.hang != nil {
		<-s.hang
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	cam, err := s.cams[path], s.fails[path]
	if cam == nil && err == nil {
		err = unix.ENOENT
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	cam.mu.Lock()
	defer cam.mu.Unlock()
	cam.handles++
	return &fakeNode{cam: cam, cut: make(chan struct{})}, nil
}

// plug plugs a camera in, or out if cam is nil.
func (s *fakeSys) plug(path string, cam *fakeCam) {
	s.mu.Lock()
	old := s.cams[path]
	if s.cams == nil {
		s.cams = map[string]*fakeCam{}
	}
	delete(s.cams, path)
	if cam != nil {
		s.cams[path] = cam
	}
	s.mu.Unlock()
	if old != nil {
		old.mu.Lock()
		defer old.mu.Unlock()
		old.gone = true
		old.wake()
	}
}

type fakeFormat struct {
	code  fourcc
	desc  string
	sizes []v4l2FrmSizeEnum
	rates []v4l2FrmIvalEnum // of all sizes
}

// discrete is a size as VIDIOC_ENUM_FRAMESIZES gives it.
func discrete(w, h uint32) v4l2FrmSizeEnum {
	return v4l2FrmSizeEnum{typ: typeDiscrete, minWidth: w, maxWidth: h}
}

func every(num, den uint32) v4l2FrmIvalEnum {
	return v4l2FrmIvalEnum{typ: typeDiscrete, min: v4l2Fract{num, den}}
}

type fakeCam struct {
	name     string
	caps     uint32
	formats  []fakeFormat
	endless  bool        // its lists have no end
	grants   *v4l2Format // instead of what is asked for
	noRate   bool        // knows no VIDIOC_S_PARM
	buffers  uint32      // it insists on so many
	startErr error       // of VIDIOC_STREAMON

	mu      sync.Mutex
	handles int
	owner   *fakeNode // has buffers
	format  v4l2Format
	rate    v4l2Fract
	mem     [][]byte
	mapped  int
	queued  []uint32
	ready   []v4l2Buffer
	on      bool
	gone    bool
	missed  int // pictures for which no buffer was queued
	seq     uint32
	news    chan struct{} // closed when something happens
}

func webcam() *fakeCam {
	return &fakeCam{
		name: "Fake Cam", caps: capVideoCapture | capStreaming,
		formats: []fakeFormat{
			{code: 'Y' | 'U'<<8 | 'Y'<<16 | 'V'<<24, desc: "YUYV 4:2:2", sizes: []v4l2FrmSizeEnum{discrete(640, 480)}, rates: []v4l2FrmIvalEnum{every(1, 30)}},
			{
				code: fourccMJPG, desc: "Motion-JPEG",
				sizes: []v4l2FrmSizeEnum{discrete(640, 480), discrete(1920, 1080), discrete(64, 48), discrete(1280, 720)},
				rates: []v4l2FrmIvalEnum{every(1, 15), every(1, 30), every(1, 60)},
			},
		},
	}
}

// wake tells all that wait. mu is held.
func (c *fakeCam) wake() {
	if c.news != nil {
		close(c.news)
		c.news = nil
	}
}

// give makes the camera deliver data, as it would every 33 ms.
func (c *fakeCam) give(data []byte, flags uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.on {
		return
	}
	c.seq++
	if len(c.queued) == 0 {
		c.missed++
		return
	}
	i := c.queued[0]
	c.queued = c.queued[1:]
	n := copy(c.mem[i], data)
	c.ready = append(c.ready, v4l2Buffer{index: i, typ: bufVideoCapture, memory: memoryMMap, bytesUsed: uint32(n), flags: flags, sequence: c.seq})
	c.wake()
}

// left is what is still taken of the camera's resources.
func (c *fakeCam) left() (handles, mapped int, on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.handles, c.mapped, c.on
}

type fakeNode struct {
	cam    *fakeCam
	cut    chan struct{}
	once   sync.Once
	closed bool
}

func (n *fakeNode) ioctl(request uintptr, arg unsafe.Pointer) error {
	c := n.cam
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := n.serve(request, arg); err != 0 {
		return err
	}
	return nil
}

func (n *fakeNode) serve(request uintptr, arg unsafe.Pointer) unix.Errno {
	c := n.cam
	switch {
	case n.closed:
		return unix.EBADF
	case c.gone:
		return unix.ENODEV
	}
	switch request {
	case vidiocQueryCap:
		q := (*v4l2Capability)(arg)
		copy(q.card[:], c.name)
		copy(q.driver[:], "fake")
		copy(q.busInfo[:], "usb-fake-1")
		q.capabilities, q.deviceCaps = capVideoCapture|capStreaming|capDeviceCaps, c.caps
	case vidiocEnumFmt:
		q := (*v4l2FmtDesc)(arg)
		if q.typ != bufVideoCapture || len(c.formats) == 0 || int(q.index) >= len(c.formats) && !c.endless {
			return unix.EINVAL
		}
		f := c.formats[int(q.index)%len(c.formats)]
		q.pixelFormat = f.code
		copy(q.description[:], f.desc)
	case vidiocEnumSizes:
		q := (*v4l2FrmSizeEnum)(arg)
		f := c.find(q.pixelFormat)
		if f == nil || len(f.sizes) == 0 || int(q.index) >= len(f.sizes) && !c.endless {
			return unix.EINVAL
		}
		index := q.index
		*q = f.sizes[int(index)%len(f.sizes)]
		q.index, q.pixelFormat = index, f.code
		if c.endless {
			q.minWidth += index
		}
	case vidiocEnumInterval:
		q := (*v4l2FrmIvalEnum)(arg)
		f := c.find(q.pixelFormat)
		if f == nil || len(f.rates) == 0 || int(q.index) >= len(f.rates) && !c.endless {
			return unix.EINVAL
		}
		r := f.rates[int(q.index)%len(f.rates)]
		q.typ, q.min, q.max, q.step = r.typ, r.min, r.max, r.step
		if c.endless {
			q.min.den += q.index
		}
	case vidiocSFmt:
		return n.setFormat((*v4l2Format)(arg))
	case vidiocSParm:
		q := (*v4l2StreamParm)(arg)
		if c.noRate {
			return unix.ENOTTY
		}
		c.rate = q.timePerFrame
		if f := c.find(c.format.pix.pixelFormat); f != nil && len(f.rates) > 0 && f.rates[0].typ == typeDiscrete {
			best := f.rates[0].min
			for _, r := range f.rates {
				if d := r.min.rate() - q.timePerFrame.rate(); d*d < (best.rate()-q.timePerFrame.rate())*(best.rate()-q.timePerFrame.rate()) {
					best = r.min
				}
			}
			c.rate = best
		}
		q.timePerFrame = c.rate
	case vidiocGParm:
		if c.noRate {
			return unix.ENOTTY
		}
		(*v4l2StreamParm)(arg).timePerFrame = c.rate
	default:
		return n.serveBuffers(request, arg)
	}
	return 0
}

func (c *fakeCam) find(code fourcc) *fakeFormat {
	for i := range c.formats {
		if c.formats[i].code == code {
			return &c.formats[i]
		}
	}
	return nil
}

// setFormat grants the nearest size, as drivers do instead of failing.
func (n *fakeNode) setFormat(q *v4l2Format) unix.Errno {
	c := n.cam
	switch {
	case q.typ != bufVideoCapture:
		return unix.EINVAL
	case c.owner != nil:
		return unix.EBUSY
	case c.grants != nil:
		q.pix = c.grants.pix
	default:
		f := c.find(q.pix.pixelFormat)
		if f == nil {
			f = &c.formats[0]
			q.pix.pixelFormat = f.code
		}
		far := func(s v4l2FrmSizeEnum) int {
			dx, dy := int(s.minWidth)-int(q.pix.width), int(s.maxWidth)-int(q.pix.height)
			return dx*dx + dy*dy
		}
		if len(f.sizes) > 0 && f.sizes[0].typ == typeDiscrete {
			best := f.sizes[0]
			for _, s := range f.sizes {
				if far(s) < far(best) {
					best = s
				}
			}
			q.pix.width, q.pix.height = best.minWidth, best.maxWidth
		}
	}
	q.pix.sizeImage = max(q.pix.width*q.pix.height, 4096)
	c.format = *q
	return 0
}

func (n *fakeNode) serveBuffers(request uintptr, arg unsafe.Pointer) unix.Errno {
	c := n.cam
	if request == vidiocReqBufs {
		q := (*v4l2RequestBuffers)(arg)
		switch {
		case q.typ != bufVideoCapture || q.memory != memoryMMap:
			return unix.EINVAL
		case c.owner != nil && c.owner != n || c.mapped > 0:
			return unix.EBUSY
		}
		if c.buffers > 0 {
			q.count = c.buffers
		}
		c.owner, c.mem, c.queued, c.ready = n, nil, nil, nil
		for range min(q.count, 100) {
			c.mem = append(c.mem, make([]byte, c.format.pix.sizeImage))
		}
		return 0
	}
	if c.owner != n {
		return unix.EINVAL
	}
	switch request {
	case vidiocQueryBuf, vidiocQBuf, vidiocDQBuf:
		q := (*v4l2Buffer)(arg)
		if q.typ != bufVideoCapture || q.memory != memoryMMap || request != vidiocDQBuf && int(q.index) >= len(c.mem) {
			return unix.EINVAL
		}
		switch request {
		case vidiocQueryBuf:
			binary.NativeEndian.PutUint32(q.m[:], q.index<<12)
			q.length = uint32(len(c.mem[q.index]))
		case vidiocQBuf:
			for _, i := range c.queued {
				if i == q.index {
					return unix.EINVAL
				}
			}
			for _, b := range c.ready {
				if b.index == q.index {
					return unix.EINVAL
				}
			}
			c.queued = append(c.queued, q.index)
		case vidiocDQBuf:
			if !c.on {
				return unix.EINVAL
			}
			if len(c.ready) == 0 {
				return unix.EAGAIN
			}
			*q, c.ready = c.ready[0], c.ready[1:]
		}
	case vidiocStreamOn:
		if c.startErr != nil {
			return c.startErr.(unix.Errno)
		}
		if len(c.mem) == 0 {
			return unix.EINVAL
		}
		c.on = true
	case vidiocStreamOff:
		c.on, c.queued, c.ready = false, nil, nil
	default:
		return unix.ENOTTY
	}
	return 0
}

func (n *fakeNode) mmap(offset int64, length int) ([]byte, error) {
	c := n.cam
	c.mu.Lock()
	defer c.mu.Unlock()
	i := int(offset >> 12)
	if i >= len(c.mem) || length != len(c.mem[i]) {
		return nil, unix.EINVAL
	}
	c.mapped++
	return c.mem[i], nil
}

func (n *fakeNode) munmap([]byte) error {
	n.cam.mu.Lock()
	defer n.cam.mu.Unlock()
	n.cam.mapped--
	return nil
}

func (n *fakeNode) wait(d time.Duration) error {
	c := n.cam
	end := time.After(d)
	for {
		c.mu.Lock()
		if len(c.ready) > 0 || c.gone {
			c.mu.Unlock()
			return nil
		}
		if c.news == nil {
			c.news = make(chan struct{})
		}
		news := c.news
		c.mu.Unlock()
		select {
		case <-news:
		case <-n.cut:
			return errInterrupted
		case <-end:
			return errWaited
		}
	}
}

func (n *fakeNode) interrupt() { n.once.Do(func() { close(n.cut) }) }

func (n *fakeNode) close() error {
	c := n.cam
	c.mu.Lock()
	defer c.mu.Unlock()
	if n.closed {
		return unix.EBADF
	}
	n.closed = true
	c.handles--
	if c.owner == n {
		c.owner, c.on = nil, false
	}
	return nil
}
