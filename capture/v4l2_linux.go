package capture

import (
	"errors"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What of V4L2 is used here, from <linux/videodev2.h> and
// docs.kernel.org/userspace-api/media/v4l. The structs are the kernel's to the byte,
// for 32 and 64 bits; a test has the sizes and offsets that a C compiler gives.

// Requests. Their direction bits differ between architectures
// (asm-generic/ioctl.h, and that of MIPS, PowerPC and SPARC); two terminal requests
// that x/sys knows for all of them tell which. Direction takes the upper two or three
// bits, the size at most 14 below; no size here reaches the 13 of the latter group.
const (
	iocRead  = unix.TIOCGPTN & 0xE0000000   // _IOR('T', 0x30, unsigned int)
	iocWrite = unix.TIOCSPTLCK & 0xE0000000 // _IOW('T', 0x31, int)
	iocV     = 'V' << 8

	vidiocQueryCap     = iocRead | iocV | unsafe.Sizeof(v4l2Capability{})<<16
	vidiocEnumFmt      = iocRead | iocWrite | iocV | 2 | unsafe.Sizeof(v4l2FmtDesc{})<<16
	vidiocSFmt         = iocRead | iocWrite | iocV | 5 | unsafe.Sizeof(v4l2Format{})<<16
	vidiocReqBufs      = iocRead | iocWrite | iocV | 8 | unsafe.Sizeof(v4l2RequestBuffers{})<<16
	vidiocQueryBuf     = iocRead | iocWrite | iocV | 9 | unsafe.Sizeof(v4l2Buffer{})<<16
	vidiocQBuf         = iocRead | iocWrite | iocV | 15 | unsafe.Sizeof(v4l2Buffer{})<<16
	vidiocDQBuf        = iocRead | iocWrite | iocV | 17 | unsafe.Sizeof(v4l2Buffer{})<<16
	vidiocStreamOn     = iocWrite | iocV | 18 | unsafe.Sizeof(int32(0))<<16
	vidiocStreamOff    = iocWrite | iocV | 19 | unsafe.Sizeof(int32(0))<<16
	vidiocGParm        = iocRead | iocWrite | iocV | 21 | unsafe.Sizeof(v4l2StreamParm{})<<16
	vidiocSParm        = iocRead | iocWrite | iocV | 22 | unsafe.Sizeof(v4l2StreamParm{})<<16
	vidiocEnumSizes    = iocRead | iocWrite | iocV | 74 | unsafe.Sizeof(v4l2FrmSizeEnum{})<<16
	vidiocEnumInterval = iocRead | iocWrite | iocV | 75 | unsafe.Sizeof(v4l2FrmIvalEnum{})<<16
)

const (
	capVideoCapture = 0x00000001
	capStreaming    = 0x04000000
	capDeviceCaps   = 0x80000000 // device_caps is there

	bufVideoCapture = 1    // V4L2_BUF_TYPE_VIDEO_CAPTURE
	memoryMMap      = 1    // V4L2_MEMORY_MMAP
	bufFlagError    = 0x40 // the data may be corrupted, streaming goes on

	typeDiscrete = 1 // of frame sizes and of intervals; 2 is continuous, 3 stepwise

	fourccMJPG fourcc = 'M' | 'J'<<8 | 'P'<<16 | 'G'<<24
	fourccJPEG fourcc = 'J' | 'P'<<8 | 'E'<<16 | 'G'<<24
)

type v4l2Capability struct {
	driver       [16]byte
	card         [32]byte
	busInfo      [32]byte
	version      uint32
	capabilities uint32 // of the whole device
	deviceCaps   uint32 // of this node
	_            [3]uint32
}

type v4l2FmtDesc struct {
	index, typ, flags uint32
	description       [32]byte
	pixelFormat       fourcc
	_                 [4]uint32
}

// v4l2FrmSizeEnum answers with Width and Height, or with a range of them.
type v4l2FrmSizeEnum struct {
	index               uint32
	pixelFormat         fourcc
	typ                 uint32
	minWidth, maxWidth  uint32 // discrete: width and height
	stepWidth           uint32
	minHeight           uint32
	maxHeight, stepHigh uint32
	_                   [2]uint32
}

type v4l2Fract struct{ num, den uint32 }

// v4l2FrmIvalEnum answers with one interval, min, or with a range.
type v4l2FrmIvalEnum struct {
	index          uint32
	pixelFormat    fourcc
	width, height  uint32
	typ            uint32
	min, max, step v4l2Fract // seconds
	_              [2]uint32
}

type v4l2Format struct {
	typ uint32
	_   [unsafe.Sizeof(uintptr(0)) - 4]byte // the union holds pointers
	pix v4l2PixFormat
	_   [200 - unsafe.Sizeof(v4l2PixFormat{})]byte
}

type v4l2PixFormat struct {
	width, height           uint32
	pixelFormat             fourcc
	field                   uint32
	bytesPerLine, sizeImage uint32
	colorspace              uint32
	priv                    uint32
	_                       [4]uint32
}

type v4l2StreamParm struct {
	typ          uint32
	capability   uint32
	captureMode  uint32
	timePerFrame v4l2Fract
	_            [200 - 16]byte
}

type v4l2RequestBuffers struct{ count, typ, memory, capabilities, flags uint32 }

type v4l2Buffer struct {
	index, typ, bytesUsed, flags, field uint32
	timestamp                           unix.Timeval
	_                                   [16]byte // struct v4l2_timecode
	sequence, memory                    uint32
	m                                   [unsafe.Sizeof(uintptr(0))]byte // a union with pointers: see offset
	length                              uint32
	_                                   [2]uint32
}

// offset is the union's m.offset, for mmap. The union is aligned: what stands before
// it is a multiple of its size.
func (b *v4l2Buffer) offset() int64 { return int64(*(*uint32)(unsafe.Pointer(&b.m))) }

// v4l2Node is an open video device: the boundary to the driver, which tests fake.
// All but interrupt are called by one goroutine at a time.
type v4l2Node interface {
	// ioctl's arg points to the struct that the request wants. The error is a
	// unix.Errno.
	ioctl(request uintptr, arg unsafe.Pointer) error
	mmap(offset int64, length int) ([]byte, error)
	munmap([]byte) error
	// wait returns nil when a buffer may be ready (or the device is gone, as the next
	// request will tell), errWaited after the time, errInterrupted after interrupt.
	wait(time.Duration) error
	interrupt()
	close() error
}

var (
	errWaited      = errors.New("the camera gave no picture for too long")
	errInterrupted = errors.New("interrupted")
)

// v4l2Sys is where devices are found and opened.
type v4l2Sys interface {
	list() ([]string, error) // paths of the video nodes, in no order
	open(path string) (v4l2Node, error)
}
