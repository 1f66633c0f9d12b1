//go:build cgo && !nocv && linux

package display

import (
	"image"
	"strings"
	"testing"
	"time"

	"github.com/framegram/framegram/internal/textwrap"
	"github.com/framegram/framegram/stream"
)

const (
	stalledText = "datagrams arrive at 9.4 of 21 Mbit/s, no frame complete: the network carries less than is sent, or " +
		"loses more than can be repaired; a lower --bitrate, --size or --fps at the sender helps"
	stalledLines = "datagrams arrive at 9.4 of 21 Mbit/s, no frame\n" +
		"complete: the network carries less than is sent, or\n" +
		"loses more than can be repaired; a lower --bitrate,\n" +
		"--size or --fps at the sender helps"
)

// What the window says while no picture comes: with a reason if there is one, before the first picture and after
// it.
func TestSceneWithoutAPicture(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	picture := stream.NewFrame(nil)
	for _, tt := range []struct {
		name    string
		held    *stream.Frame
		silence time.Duration
		frozen  bool
		help    bool
		stalled string
		want    scene
	}{
		{"waiting", nil, time.Hour, false, false, "",
			scene{title: "w", waiting: true,
				texts: [labelCount]string{banner: "waiting for the sender", bottomLeft: "h: keys"}}},
		{"waiting, stalled", nil, 3 * time.Second, false, false, stalledText,
			scene{title: "w (no frame)", waiting: true, texts: [labelCount]string{banner: stalledLines, bottomLeft: "h: keys"}}},
		{"waiting, stalled, help", nil, 3 * time.Second, false, true, stalledText,
			scene{title: "w (no frame)", waiting: true, texts: [labelCount]string{middle: helpText, bottomLeft: "h: keys"}}},
		{"live", picture, time.Second, false, false, "", scene{title: "w"}},
		{"live though none is complete", picture, time.Second, false, false, stalledText, scene{title: "w"}},
		{"quiet", picture, 12 * time.Second, false, false, "",
			scene{title: "w (no signal)", dim: true, texts: [labelCount]string{banner: "no signal for 12 s"}}},
		{"stalled", picture, 12 * time.Second, false, false, stalledText,
			scene{title: "w (no frame)", dim: true, texts: [labelCount]string{banner: "no frame for 12 s\n" + stalledLines}}},
		{"frozen, quiet", picture, 12 * time.Second, true, false, "",
			scene{title: "w (frozen, no signal)", texts: [labelCount]string{topRight: "frozen, no signal for 12 s"}}},
		{"frozen, stalled", picture, 12 * time.Second, true, false, stalledText,
			scene{title: "w (frozen, no frame)",
				texts: [labelCount]string{topRight: "frozen, no frame for 12 s\n" + stalledLines}}},
	} {
		w := &window{
			title: "w", held: tt.held, came: now.Add(-tt.silence), frozen: tt.frozen, help: tt.help,
			stalled: func() string { return tt.stalled },
		}
		if got := w.words(now); got != tt.want {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

// The reason is asked for four times a second at most, and only while a picture is missing.
func TestReasonIsAskedForSeldom(t *testing.T) {
	now, asked := time.Unix(1_800_000_000, 0), 0
	w := &window{title: "w", stalled: func() string { asked++; return strings.Repeat("again ", asked) }}
	w.words(now)
	w.words(now.Add(overlayEvery - 1))
	if asked != 1 {
		t.Errorf("asked %d times within %v", asked, overlayEvery)
	}
	if s := w.words(now.Add(overlayEvery)); asked != 2 || s.texts[banner] != "again again" {
		t.Errorf("asked %d times after %v, and the window says %q", asked, overlayEvery, s.texts[banner])
	}
	w.held, w.came = stream.NewFrame(nil), now.Add(time.Minute)
	w.words(now.Add(time.Minute))
	if asked != 2 {
		t.Error("asked while there is a picture")
	}
}

// The reason has room in letters of full size, at every usual size of a window.
func TestReasonIsLegible(t *testing.T) {
	lines := append([]string{"no frame for 59 s"}, textwrap.Lines(stalledText, sentenceWide)...)
	for _, size := range []image.Point{firstWindow, {640, 480}, {800, 600}, maxWindow, {1920, 1080}, {3840, 2160}} {
		em := textSize(size.Y) * 3 / 2
		var l label
		if err := l.set(strings.Join(lines, "\n"), em, size.Sub(image.Pt(size.Y/30, size.Y/30))); err != nil {
			t.Fatal(err)
		}
		face, err := newFace(float64(em))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := l.box.Rect.Size(), boxSize(face, lines); got != want {
			t.Errorf("in a window of %v the box is %v, want %v", size, got, want)
		}
		if err := face.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A window that has shown no picture yet says why none comes, and shows the picture as soon as one does.
func TestWindowStalled(t *testing.T) {
	useX(t)
	why := make(chan string, 1)
	said := ""
	source, _, _ := show(t, Config{Stalled: func() string {
		select {
		case said = <-why:
		default:
		}
		return said
	}})
	waitTitle(t, "framegram test")
	before := grabX(t)
	why <- stalledText
	waitTitle(t, "framegram test (no frame)")
	d := &driven{T: t}
	d.becomes("the reason", before, image.Rect(0, 100, 640, 260))
	source.pictures <- encode(t, quarters(640, 360, one))
	windowShows(t, 640, 360, one)
	waitTitle(t, "framegram test")
}
