package command

import (
	"cmp"
	"net/netip"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/framegram/framegram/capture"
	"github.com/framegram/framegram/internal/units"
	"github.com/framegram/framegram/rate"
	"github.com/framegram/framegram/udp"
)

// bitrateFlag is of who captures and sends.
func bitrateFlag() cli.Flag {
	return &cli.StringFlag{Name: "bitrate", Category: catNetwork, Value: "auto",
		Usage: "keep within what the link carries, by quality first, then size, then frames left out, `auto|off|RATE`: auto goes by what udp viewers report; RATE, such as 20mbit, is a ceiling besides, headers and parity included, on either transport. JPEG sources that pass untouched can only have frames left out"}
}

// leastBitrate is in bit/s: of less nothing is left to see.
const leastBitrate = 100_000

// rateControl is what --bitrate asks for: nil for off, and for auto where nobody reports.
// cfg's addresses are known, and overUDP is whether one is udp: then the viewers' reports are
// to come in by reported.
func rateControl(c *cli.Context, cfg *outConfig, overUDP bool) (*rateControls, error) {
	most, off, err := parseBitrate(c.String("bitrate"))
	if err != nil {
		return nil, err
	}
	if off || most == 0 && !overUDP {
		return nil, nil
	}
	if q := c.Int("quality"); c.IsSet("quality") && (q < 1 || q > 100) {
		return nil, usage("--quality is %d, want 1..100", q)
	}
	ask := rate.Config{Quality: c.Int("quality"), Most: most, Packet: cmp.Or(cfg.udp.MTU, 1500), Blind: !overUDP}
	if cfg.staysHere() {
		ask.Start = -1
	}
	ctl, err := rate.New(ask)
	if err != nil {
		return nil, usage("--bitrate %s: %w", c.String("bitrate"), err)
	}
	return &rateControls{ctl}, nil
}

// parseBitrate reads auto as no ceiling.
func parseBitrate(text string) (most int64, off bool, err error) {
	switch text {
	case "auto", "off":
		return 0, text == "off", nil
	}
	most, err = units.Parse(text, units.Rates)
	switch {
	case err != nil:
		return 0, false, usage("--bitrate is %q, want auto, off or bits a second such as 20mbit (kbit, mbit, gbit)", text)
	case most < leastBitrate:
		return 0, false, usage("--bitrate is %q, want %s or more", text, units.Format(leastBitrate, units.Rates))
	}
	return most, false, nil
}

// staysHere is whether no address of udp leads off this machine, so that there is no link
// to be careful of.
func (cfg *outConfig) staysHere() bool {
	for _, list := range [][]netip.AddrPort{cfg.udp.To, cfg.udp.Listen} {
		for _, a := range list {
			if !a.Addr().Unmap().IsLoopback() {
				return false
			}
		}
	}
	return true
}

// rateControls joins the controller to what it controls and hears. nil is none.
type rateControls struct{ *rate.Controller }

// of is for a source. A nil of this type would not be a nil Rate.
func (r *rateControls) of() capture.Rate {
	if r == nil {
		return nil
	}
	return r
}

// reported is for [udp.SenderConfig].
func (r *rateControls) reported(v udp.ViewerStats) {
	if v.ReportAge < 0 {
		return
	}
	r.Report(time.Now(), rate.Report{
		Viewer: v.Addr, Group: isGroup(v), Received: v.Received, Missing: v.Missing,
		Queueing: time.Duration(v.Queueing) * time.Microsecond, RTT: time.Duration(v.RTT) * time.Microsecond,
		Nothing: v.Complete == 0, Arrival: float64(v.Arrival), Parity: v.Parity,
	})
}

// isGroup is whether others get the same datagrams: they are sent to another address than
// the viewer's.
func isGroup(v udp.ViewerStats) bool {
	if v.To == v.Addr || v.To == "subscribed" {
		return false
	}
	to, err := netip.ParseAddrPort(v.To)
	if err != nil {
		return true // it has an interface's name behind it
	}
	from, err := netip.ParseAddrPort(v.Addr)
	return err != nil || from.Port() != to.Port() || from.Addr().Unmap().WithZone("") != to.Addr().Unmap().WithZone("")
}

// figures are for --stats json; nil without a controller.
func (r *rateControls) figures() *rate.Stats {
	if r == nil {
		return nil
	}
	stats := r.Stats(time.Now())
	return &stats
}
