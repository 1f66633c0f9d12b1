package capture

import (
	"errors"
	"os"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The figures are those of gcc with <linux/videodev2.h>, for x86-64 and, with -m32,
// for i386.
func TestV4L2Layout(t *testing.T) {
	var (
		capability v4l2Capability
		desc       v4l2FmtDesc
		size       v4l2FrmSizeEnum
		ival       v4l2FrmIvalEnum
		format     v4l2Format
		parm       v4l2StreamParm
		req        v4l2RequestBuffers
		buf        v4l2Buffer
	)
	for name, v := range map[string]struct{ got, want64, want32 uintptr }{
		"v4l2_capability":              {unsafe.Sizeof(capability), 104, 104},
		"v4l2_capability.card":         {unsafe.Offsetof(capability.card), 16, 16},
		"v4l2_capability.bus_info":     {unsafe.Offsetof(capability.busInfo), 48, 48},
		"v4l2_capability.capabilities": {unsafe.Offsetof(capability.capabilities), 84, 84},
		"v4l2_capability.device_caps":  {unsafe.Offsetof(capability.deviceCaps), 88, 88},
		"v4l2_fmtdesc":                 {unsafe.Sizeof(desc), 64, 64},
		"v4l2_fmtdesc.description":     {unsafe.Offsetof(desc.description), 12, 12},
		"v4l2_fmtdesc.pixelformat":     {unsafe.Offsetof(desc.pixelFormat), 44, 44},
		"v4l2_frmsizeenum":             {unsafe.Sizeof(size), 44, 44},
		"v4l2_frmsizeenum.type":        {unsafe.Offsetof(size.typ), 8, 8},
		"v4l2_frmsizeenum.discrete":    {unsafe.Offsetof(size.minWidth), 12, 12},
		"v4l2_frmsizeenum.max_width":   {unsafe.Offsetof(size.maxWidth), 16, 16},
		"v4l2_frmsizeenum.min_height":  {unsafe.Offsetof(size.minHeight), 24, 24},
		"v4l2_frmivalenum":             {unsafe.Sizeof(ival), 52, 52},
		"v4l2_frmivalenum.width":       {unsafe.Offsetof(ival.width), 8, 8},
		"v4l2_frmivalenum.type":        {unsafe.Offsetof(ival.typ), 16, 16},
		"v4l2_frmivalenum.discrete":    {unsafe.Offsetof(ival.min), 20, 20},
		"v4l2_frmivalenum.max":         {unsafe.Offsetof(ival.max), 28, 28},
		"v4l2_frmivalenum.step":        {unsafe.Offsetof(ival.step), 36, 36},
		"v4l2_format":                  {unsafe.Sizeof(format), 208, 204},
		"v4l2_format.pix":              {unsafe.Offsetof(format.pix), 8, 4},
		"v4l2_pix_format":              {unsafe.Sizeof(format.pix), 48, 48},
		"v4l2_pix_format.pixelformat":  {unsafe.Offsetof(format.pix.pixelFormat), 8, 8},
		"v4l2_pix_format.sizeimage":    {unsafe.Offsetof(format.pix.sizeImage), 20, 20},
		"v4l2_pix_format.priv":         {unsafe.Offsetof(format.pix.priv), 28, 28},
		"v4l2_streamparm":              {unsafe.Sizeof(parm), 204, 204},
		"v4l2_streamparm.timeperframe": {unsafe.Offsetof(parm.timePerFrame), 12, 12},
		"v4l2_requestbuffers":          {unsafe.Sizeof(req), 20, 20},
		"v4l2_requestbuffers.memory":   {unsafe.Offsetof(req.memory), 8, 8},
		"v4l2_buffer":                  {unsafe.Sizeof(buf), 88, 68},
		"v4l2_buffer.bytesused":        {unsafe.Offsetof(buf.bytesUsed), 8, 8},
		"v4l2_buffer.flags":            {unsafe.Offsetof(buf.flags), 12, 12},
		"v4l2_buffer.timestamp":        {unsafe.Offsetof(buf.timestamp), 24, 20},
		"v4l2_buffer.sequence":         {unsafe.Offsetof(buf.sequence), 56, 44},
		"v4l2_buffer.memory":           {unsafe.Offsetof(buf.memory), 60, 48},
		"v4l2_buffer.m":                {unsafe.Offsetof(buf.m), 64, 52},
		"v4l2_buffer.length":           {unsafe.Offsetof(buf.length), 72, 56},
	} {
		want := v.want64
		if unsafe.Sizeof(uintptr(0)) == 4 {
			want = v.want32
		}
		if v.got != want {
			t.Errorf("%s is %d, want %d", name, v.got, want)
		}
	}
	if fourccMJPG != 0x47504A4D || fourccJPEG != 0x4745504A || fourccMJPG.String() != "MJPG" {
		t.Errorf("%#x (%v) and %#x are not the formats' codes", uint32(fourccMJPG), fourccMJPG, uint32(fourccJPEG))
	}
}

// Only the direction bits and the sizes above differ between architectures.
func TestV4L2Requests(t *testing.T) {
	if unix.TIOCGPTN != 0x80045430 {
		t.Skip("the figures are those of the architectures with the generic numbers") // x86, ARM, RISC-V
	}
	for name, v := range map[string]struct{ got, want64, want32 uintptr }{
		"QUERYCAP":            {vidiocQueryCap, 0x80685600, 0x80685600},
		"ENUM_FMT":            {vidiocEnumFmt, 0xC0405602, 0xC0405602},
		"S_FMT":               {vidiocSFmt, 0xC0D05605, 0xC0CC5605},
		"REQBUFS":             {vidiocReqBufs, 0xC0145608, 0xC0145608},
		"QUERYBUF":            {vidiocQueryBuf, 0xC0585609, 0xC0445609},
		"QBUF":                {vidiocQBuf, 0xC058560F, 0xC044560F},
		"DQBUF":               {vidiocDQBuf, 0xC0585611, 0xC0445611},
		"STREAMON":            {vidiocStreamOn, 0x40045612, 0x40045612},
		"STREAMOFF":           {vidiocStreamOff, 0x40045613, 0x40045613},
		"G_PARM":              {vidiocGParm, 0xC0CC5615, 0xC0CC5615},
		"S_PARM":              {vidiocSParm, 0xC0CC5616, 0xC0CC5616},
		"ENUM_FRAMESIZES":     {vidiocEnumSizes, 0xC02C564A, 0xC02C564A},
		"ENUM_FRAMEINTERVALS": {vidiocEnumInterval, 0xC034564B, 0xC034564B},
	} {
		want := v.want64
		if unsafe.Sizeof(uintptr(0)) == 4 {
			want = v.want32
		}
		if v.got != want {
			t.Errorf("VIDIOC_%s is %#x, want %#x", name, v.got, want)
		}
	}
}

// The real kernel, asked about what is no camera.
func TestKernelRefusesWhatIsNoCamera(t *testing.T) {
	node, err := kernel{}.open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer node.close()
	if _, err := queryNode(node); err != unix.ENOTTY {
		t.Errorf("asking /dev/null for its abilities: %v, want ENOTTY", err)
	}
	if formats, _ := listFormats(node); len(formats) != 0 {
		t.Errorf("/dev/null has the formats %v", formats)
	}
	file := writeFile(t, t.TempDir(), "video0", []byte("a file"))
	if _, err := (kernel{}).open(file); !errors.Is(err, unix.ENOTTY) {
		t.Errorf("opening a regular file: %v, want ENOTTY", err)
	}
	if _, err := (kernel{}).open(file + "1"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("opening nothing: %v", err)
	}
}

// Waiting on a real descriptor ends with what comes, with interrupt, or with the time.
func TestKernelWaits(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	fd, err := unix.Dup(int(r.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	k := &kernelNode{fd: fd, wake: wake}
	defer k.close()
	if err := k.wait(20 * time.Millisecond); err != errWaited {
		t.Errorf("with nothing there: %v", err)
	}
	w.Write([]byte{1})
	if err := k.wait(time.Hour); err != nil {
		t.Errorf("with something there: %v", err)
	}
	unix.Read(fd, make([]byte, 1))
	time.AfterFunc(20*time.Millisecond, k.interrupt)
	for range 2 { // and from then on
		if err := k.wait(time.Hour); err != errInterrupted {
			t.Errorf("interrupted: %v", err)
		}
	}
}

func TestDevicesOfThisMachine(t *testing.T) {
	all, err := Devices(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		if !isVideoNode(d.Path) || d.Name == "" && d.Err == nil {
			t.Errorf("got %+v", d)
		}
	}
}
