package udp_test

import (
	"fmt"
	"net"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/framegram/framegram/fragment"
)

// BenchmarkBlast is what the kernel can do: as many datagrams of the same sizes as
// BenchmarkLoopback's, of zeros that lie in one piece, neither made nor looked at. Trains
// of 44, a frame a call.
func BenchmarkBlast(b *testing.B) {
	for _, size := range []int{120_000, 300_000} {
		b.Run(fmt.Sprintf("%dkB", size/1000), func(b *testing.B) {
			out, in := benchSockets(b)
			const segment, perTrain = benchShard + fragment.HeaderLen, 44
			datagrams := (size + benchShard - 1) / benchShard
			wire := size + datagrams*fragment.HeaderLen
			data := make([]byte, wire)
			var ms []unix.Mmsghdr
			note := unsafe.Slice((*byte)(unsafe.Pointer(&make([]uint64, 4)[0])), 32)
			h := (*unix.Cmsghdr)(unsafe.Pointer(&note[0]))
			h.Level, h.Type = unix.IPPROTO_UDP, unix.UDP_SEGMENT
			h.SetLen(unix.CmsgLen(2))
			*(*uint16)(unsafe.Pointer(&note[unix.CmsgLen(0)])) = segment
			for rest := data; len(rest) > 0; {
				n := min(len(rest), perTrain*segment)
				m := unix.Mmsghdr{Hdr: unix.Msghdr{Iov: &unix.Iovec{Base: &rest[0]}, Control: &note[0]}}
				m.Hdr.Iov.SetLen(n)
				m.Hdr.SetIovlen(1)
				m.Hdr.SetControllen(unix.CmsgSpace(2))
				ms, rest = append(ms, m), rest[n:]
			}
			const trains = 8
			var rs [trains]unix.Mmsghdr
			buf := make([]byte, trains<<16)
			for i := range rs {
				rs[i].Hdr.Iov = &unix.Iovec{Base: &buf[i<<16]}
				rs[i].Hdr.Iov.SetLen(1 << 16)
				rs[i].Hdr.SetIovlen(1)
			}
			sender, receiver := raw(b, out), raw(b, in)
			receiver.Control(func(fd uintptr) {
				if err := unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_GRO, 1); err != nil {
					b.Fatal(err)
				}
			})
			var sendErr, receiveErr error
			var n, got uintptr
			write := func(fd uintptr) bool {
				for left := ms; len(left) > 0; left = left[n:] {
					var e unix.Errno
					if n, _, e = unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&left[0])), uintptr(len(left)), 0, 0, 0); e != 0 {
						sendErr = e
						return true
					}
				}
				return true
			}
			read := func(fd uintptr) bool {
				var e unix.Errno
				got, _, e = unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&rs[0])), trains, 0, 0, 0)
				if e != 0 {
					got = 0
				}
				if e != 0 && e != unix.EAGAIN {
					receiveErr = e
				}
				return e != unix.EAGAIN
			}
			bytes := 0
			flight(b, size, in, func() error {
				if err := sender.Write(write); err != nil {
					return err
				}
				return sendErr
			}, func() (done int, err error) {
				if err := receiver.Read(read); err != nil {
					return 0, err
				}
				for i := range rs[:got] {
					bytes += int(rs[i].Len)
				}
				done, bytes = bytes/wire, bytes%wire
				return done, receiveErr
			})
		})
	}
}

func raw(b *testing.B, c *net.UDPConn) interface {
	Control(func(uintptr)) error
	Read(func(uintptr) bool) error
	Write(func(uintptr) bool) error
} {
	r, err := c.SyscallConn()
	if err != nil {
		b.Fatal(err)
	}
	return r
}

// grow makes the receive buffer that large, as a user may who raised net.core.rmem_max.
func grow(b *testing.B, c *net.UDPConn, size int) {
	raw(b, c).Control(func(fd uintptr) {
		if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, size) != nil {
			unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, size)
		}
	})
}
