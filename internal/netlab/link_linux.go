package netlab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Link is two hosts and what lies between them.
type Link struct {
	hosts    [2]*Host
	forwards [2]*forwarder // A to B, B to A
	wake     int           // an eventfd that stops the forwarders
	stop     func() bool   // takes back that ctx closes the link

	mu     sync.Mutex // held by Close, and by those that use what it closes
	closed bool
	last   Stats // after Close
}

// Open makes a link. It lives until Close, or until ctx is done, which closes it.
// The caller needs CAP_NET_ADMIN and CAP_SYS_ADMIN, as root has; see [Reexec] for others.
func Open(ctx context.Context, p Params) (*Link, error) {
	p = p.withDefaults()
	if name, err := p.check(); err != nil {
		return nil, fmt.Errorf("netlab: %s %w", name, err)
	}
	l := &Link{wake: -1, stop: func() bool { return true }}
	if err := l.open(p); err != nil {
		l.Close()
		return nil, err
	}
	l.stop = context.AfterFunc(ctx, func() { l.Close() })
	return l, nil
}

func (l *Link) open(p Params) (err error) {
	for i := range l.hosts {
		if l.hosts[i], err = newHost(i, p.MTU); err != nil {
			return err
		}
	}
	if l.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("netlab: %w", err)
	}
	start, first := time.Now(), new(atomic.Int64)
	for i := range l.forwards {
		l.forwards[i] = newForwarder(l.hosts[i].tun, l.hosts[1-i].tun, l.wake, i, &p, start, first)
		onThread(l.forwards[i].run)
	}
	return nil
}

// A is one host.
func (l *Link) A() *Host { return l.hosts[0] }

// B is the other.
func (l *Link) B() *Host { return l.hosts[1] }

// Set changes the link for the packets that enter it from now on. The count of packets
// goes on, so the k-th packet's fate is what it would have been, by the new parameters;
// a new Seed starts a new pattern with its first packet. None overtakes what is on its
// way, however short its own delay.
func (l *Link) Set(p Params) error {
	p = p.withDefaults()
	if name, err := p.check(); err != nil {
		return fmt.Errorf("netlab: %s %w", name, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return errClosed
	}
	for i, f := range l.forwards {
		if old := f.params.Swap(&p); old.MTU != p.MTU {
			if err := l.hosts[i].ns.stay(func() error { return setMTU(p.MTU) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// Stats are the counts by now, or those at the end.
func (l *Link) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return l.last
	}
	return Stats{l.forwards[0].stats(), l.forwards[1].stats()}
}

// Close kills what [Host.Start] has started, and takes the link and the hosts away.
// Sockets made by [Host.Do] stay open, and nothing reaches them. It waits until all is
// gone, and may be called again.
func (l *Link) Close() error {
	l.stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	for _, f := range l.forwards {
		if f != nil {
			f.closing.Store(true)
		}
	}
	if l.wake >= 0 {
		unix.Write(l.wake, []byte{0, 0, 0, 0, 0, 0, 0, 1}) // any number but 0 wakes
	}
	for _, f := range l.forwards {
		if f != nil {
			<-f.done
		}
	}
	if l.forwards[1] != nil {
		l.last = Stats{l.forwards[0].stats(), l.forwards[1].stats()}
	}
	if l.wake >= 0 {
		unix.Close(l.wake)
	}
	var errs []error
	for _, h := range l.hosts {
		if h != nil {
			errs = append(errs, h.close())
		}
	}
	return errors.Join(errs...)
}

// Host is one end of a link: a network namespace with lo and the device fg0.
type Host struct {
	ns           *namespace
	tun          *tun
	addr4, addr6 netip.Addr
}

func newHost(i, mtu int) (_ *Host, err error) {
	h := &Host{addr4: netip.AddrFrom4([4]byte{10, 79, 0, byte(i + 1)}), addr6: netip.AddrFrom16([16]byte{0xfd, 0x79, 15: byte(i + 1)})}
	if h.ns, err = newNamespace(); err != nil {
		return nil, err
	}
	err = h.ns.stay(func() (err error) {
		if h.tun, err = openTUN(); err != nil {
			return err
		}
		has6, err := setUp(h.addr4, h.addr6, mtu)
		if !has6 {
			h.addr6 = netip.Addr{}
		}
		return err
	})
	if err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

func (h *Host) close() error {
	if h.tun != nil {
		h.tun.close()
	}
	return h.ns.close()
}

// Addr4 is 10.79.0.1 for A and 10.79.0.2 for B.
func (h *Host) Addr4() netip.Addr { return h.addr4 }

// Addr6 is fd79::1 for A and fd79::2 for B, or the zero Addr where the kernel has no
// IPv6. It can be used at once.
func (h *Host) Addr6() netip.Addr { return h.addr6 }

// Interface is the name of the host's end of the link.
func (h *Host) Interface() string { return device }

// Start starts cmd on the host, as [exec.Cmd.Start] does. Unless its SysProcAttr has
// another Pdeathsig, it is killed when the link closes or this process dies. Files,
// /sys and the name server are those of the machine.
func (h *Host) Start(cmd *exec.Cmd) error { return h.ns.start(cmd) }

// Do calls f on the caller's goroutine with its thread on the host: sockets that f opens
// are the host's and stay so. Goroutines that f starts are not on the host; dialling or
// listening by IP address needs none.
func (h *Host) Do(f func() error) error { return h.ns.visit(f) }
