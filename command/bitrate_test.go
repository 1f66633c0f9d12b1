package command

import (
	"net/netip"
	"testing"
	"time"

	"github.com/framegram/framegram/rate"
	"github.com/framegram/framegram/udp"
)

func TestBitrateIsParsed(t *testing.T) {
	for text, want := range map[string]int64{"auto": 0, "20mbit": 20e6, "1.5gbit": 1.5e9, "100kbit": 100e3} {
		if most, off, err := parseBitrate(text); most != want || off || err != nil {
			t.Errorf("%s: %d, %v, %v", text, most, off, err)
		}
	}
	if _, off, err := parseBitrate("off"); !off || err != nil {
		t.Errorf("off: %v, %v", off, err)
	}
	for _, text := range []string{"", "20", "fast", "-1mbit", "99kbit", "0"} {
		if _, _, err := parseBitrate(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestGroupIsToldFromAViewerOfItsOwn(t *testing.T) {
	for v, want := range map[udp.ViewerStats]bool{
		{Addr: "127.0.0.1:5600", To: "127.0.0.1:5600"}:              false,
		{Addr: "10.0.0.7:41000", To: "subscribed"}:                  false,
		{Addr: "[fe80::1%eth0]:5600", To: "[fe80::1%2]:5600"}:       false,
		{Addr: "[::ffff:10.0.0.7]:5600", To: "10.0.0.7:5600"}:       false,
		{Addr: "10.0.0.7:5600", To: "239.0.0.1:5600 on eth0"}:       true,
		{Addr: "10.0.0.7:5600", To: "239.0.0.1:5600"}:               true,
		{Addr: "10.0.0.7:5600", To: "10.0.0.255:5600"}:              true,
		{Addr: "10.0.0.7:5600", To: "255.255.255.255:5600 (wlan0)"}: true,
	} {
		if got := isGroup(v); got != want {
			t.Errorf("%s of %s: %v", v.Addr, v.To, got)
		}
	}
}

func TestStreamThatStaysOnThisMachineBeginsInFull(t *testing.T) {
	here, there := netip.MustParseAddrPort("127.0.0.1:5600"), netip.MustParseAddrPort("10.0.0.7:5600")
	for _, tt := range []struct {
		to, listen []netip.AddrPort
		want       bool
	}{
		{[]netip.AddrPort{here}, nil, true},
		{[]netip.AddrPort{here, there}, nil, false},
		{nil, []netip.AddrPort{netip.MustParseAddrPort("[::1]:5600")}, true},
		{nil, []netip.AddrPort{netip.MustParseAddrPort("[::]:5600")}, false},
	} {
		cfg := outConfig{udp: udp.SenderConfig{To: tt.to, Listen: tt.listen}}
		if got := cfg.staysHere(); got != tt.want {
			t.Errorf("%v, %v: %v", tt.to, tt.listen, got)
		}
	}
}

// Reports of a viewer behind a slow link lower the rate.
func TestReportsReachTheController(t *testing.T) {
	ctl, err := rate.New(rate.Config{})
	if err != nil {
		t.Fatal(err)
	}
	r := &rateControls{ctl}
	v := udp.ViewerStats{Addr: "10.0.0.7:5600", To: "10.0.0.7:5600", RTT: 10_000, Complete: 1}
	p := rate.Picture{Width: 1280, Height: 720, Least: 25}
	for range 4 {
		r.Next(time.Now(), p)
		v.Received, v.Queueing = v.Received+10, 80_000
		r.reported(v)
		time.Sleep(40 * time.Millisecond) // closer reports tell no rate
	}
	if f := r.figures(); f.Cuts != 1 || f.Rate == 0 || f.Rate >= rate.Start {
		t.Errorf("%+v", f)
	}
	var none *rateControls
	if none.of() != nil || none.figures() != nil {
		t.Error("no control is some")
	}
}
