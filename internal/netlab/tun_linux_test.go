package netlab

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/framegram/framegram/internal/testutil"
)

// The device keeps txQueue packets for a forwarder that is slow, and counts the others.
func TestDeviceHoldsPacketsAndCountsTheOthers(t *testing.T) {
	testutil.NeedRoot(t)
	h, err := newHost(0, 1500)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	var c net.Conn
	if err := h.Do(func() (err error) {
		c, err = net.Dial("udp", "10.79.0.2:9")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	write := func(n int) {
		for range n {
			if _, err := c.Write(make([]byte, 100)); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(txQueue - 100) // the kernel's own packets are there as well
	if n := h.tun.missed(); n != 0 {
		t.Errorf("%d of %d were dropped", n, txQueue-100)
	}
	write(300)
	if n := h.tun.missed(); n < 200 || n > 250 {
		t.Errorf("200 or a few more do not fit, %d were dropped", n)
	}
	held := 0
	for buffer := make([]byte, 2000); ; held++ {
		if _, err := unix.Read(h.tun.fd, buffer); err != nil {
			break
		}
	}
	if held != txQueue {
		t.Errorf("the device held %d, want %d", held, txQueue)
	}
}
