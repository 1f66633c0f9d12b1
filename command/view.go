package command

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/display"
	"github.com/framegram/framegram/stream"
	"github.com/framegram/framegram/udp"
)

func viewCommand() *cli.Command {
	return &cli.Command{
		Name: "view", Usage: "receive video and show it",
		UsageText: "framegram view [--listen [HOST][:PORT]] [--display WHERE] [flags]",
		Flags: join(withEnv(
			&cli.StringFlag{Name: "listen", Category: catNetwork, Value: ":5600",
				Usage: "receive on `[udp://][HOST][:PORT]`; no host means every address of this machine"},
		), transportFlag(), displayFlags(), withEnv(
			&cli.StringFlag{Name: "format", Category: catDisplay, Value: display.DefaultFormat, Usage: "what stdout writes, `mjpeg|y4m|bgr24`"},
			&cli.Float64Flag{Name: "fps", Category: catDisplay, Value: display.DefaultFPS, Usage: "`FRAMES` a second that the header of y4m tells"},
			&cli.BoolFlag{Name: "timecode", Category: catDisplay,
				Usage: "decode every frame, read the timecode strip in it and tell the latency from capture to decoded picture"},
		), runFlags()),
		Action: action(func(c *cli.Context) error { return run(c, "view", func(s *session) error { return runView(c, s) }) }),
	}
}

// displayFlags are those of every viewer.
func displayFlags() []cli.Flag {
	return withEnv(
		&cli.StringFlag{Name: "display", Category: catDisplay, Value: display.DefaultKind,
			Usage: "`WHERE` to show: auto (a window if it can, else web), window, web, stdout, images:DIR or none"},
		&cli.StringFlag{Name: "web", Category: catDisplay, DefaultText: display.DefaultWebAddr,
			Usage: "serve the page on `[HOST]:PORT`; :8080 opens it to the network"},
	)
}

func runView(c *cli.Context, s *session) error {
	a, err := parseAddress("listen", c.String("listen"), c.String("transport"))
	if err != nil {
		return err
	}
	cfg := s.displayConfig(c)
	cfg.Format, cfg.FPS = c.String("format"), c.Float64("fps")
	if err := s.checkDisplay(cfg); err != nil {
		return err
	}
	at, err := a.listenAddress(c.Context)
	switch {
	case err != nil:
		return fmt.Errorf("--listen %q: %w", a.text, err)
	case at.Addr().IsMulticast():
		return usage("--listen %q: multicast comes with a later version", a.text)
	}
	receiver, err := udp.Listen(udp.ReceiverConfig{Listen: at, Log: s.log})
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("--listen %q: port %d is in use: another viewer is running there, choose another port", a.text, at.Port())
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("--listen %q: this machine has no address %v: leave the host out to listen on all", a.text, at.Addr())
	case err != nil:
		return err
	}
	defer receiver.Close()
	if err := s.openView(c, cfg, receiver); err != nil {
		return err
	}
	defer s.closeDisplay()
	if s.stats != "off" {
		s.console.say(fmt.Sprintf("waiting for frames on %v over udp%s", receiver.LocalAddr(), invitation(receiver.LocalAddr())))
	}
	s.view.pump.MaxFrames = s.frames
	ctx, cancel := s.begin(c.Context)
	defer cancel()
	return s.pump(ctx, s.view.pump)
}

// invitation says what to run on the sender's machine, where that can be known.
func invitation(at netip.AddrPort) string {
	ip := at.Addr()
	if ip.IsUnspecified() {
		if ip = ownAddress(); !ip.IsValid() {
			return ""
		}
	}
	to := ip.String()
	if at.Port() != DefaultPort {
		to = netip.AddrPortFrom(ip, at.Port()).String()
	}
	return ": framegram send --to " + to
}

// ownAddress is this machine's first IPv4 address that others may reach it at, or
// invalid when it has none.
func ownAddress() netip.Addr {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Addr{}
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP.To4()); ok && ip.IsGlobalUnicast() {
				return ip
			}
		}
	}
	return netip.Addr{}
}

func (s *session) displayConfig(c *cli.Context) display.Config {
	return display.Config{
		Kind: c.String("display"), WebAddr: c.String("web"), Stdout: c.App.Writer,
		Log: s.log, Notify: s.console.say, Stats: s.pageFigures,
	}
}

// checkDisplay tells wrong usage before anything is opened.
func (s *session) checkDisplay(cfg display.Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	if cfg.Kind == "stdout" && s.stats == "json" {
		return usage("--stats json and --display stdout both want standard output: use --stats text, or another display")
	}
	return nil
}

// openView opens the display and makes s.view of it. The display belongs to the
// calling goroutine from now on (see display.Open).
func (s *session) openView(c *cli.Context, cfg display.Config, receiver *udp.Receiver) error {
	v := &viewSide{receiver: receiver, ages: newLatencies()}
	s.view = v
	sink, err := display.Open(cfg)
	if err != nil {
		s.view = nil
		return err
	}
	v.display = sink
	sink = timed(sink, v.ages)
	if c.Bool("timecode") {
		if sink, v.timecode, err = display.Measure(sink); err != nil {
			return errors.Join(err, v.display.Close())
		}
	}
	v.sink = sink
	v.pump = &stream.Pump{Source: receiver, Sink: sink}
	return nil
}

// closeDisplay ends the display; what it could not finish is said.
func (s *session) closeDisplay() {
	if err := s.view.sink.Close(); err != nil {
		s.log.Warn("closing the display: " + err.Error())
	}
}

// pageFigures is what the web page shows, as display.Config.Stats asks for it.
func (s *session) pageFigures() any {
	f := s.latest.Load()
	if f == nil || f.View == nil {
		return nil
	}
	page := struct {
		*figures
		FPS     float64           `json:"fps"`
		Mbit    float64           `json:"mbit_s"`
		Latency *float64          `json:"latency_ms,omitempty"`
		Lost    map[string]uint64 `json:"lost"`
	}{figures: f, FPS: f.View.FPS, Mbit: f.View.Mbit, Lost: f.View.lostByReason()}
	if l := f.View.LatencyMS; l != nil {
		page.Latency = &l.P50
	}
	return page
}

// waitFor waits until done, at most half a second.
func waitFor(ctx context.Context, done func() bool) {
	limit := time.After(500 * time.Millisecond)
	for !done() {
		select {
		case <-ctx.Done():
			return
		case <-limit:
			return
		case <-time.After(2 * time.Millisecond):
		}
	}
}
