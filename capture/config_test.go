package capture

import (
	"context"
	"errors"
	"image"
	"io/fs"
	"math"
	"os"
	"strings"
	"testing"
)

func TestConfigErrors(t *testing.T) {
	at := image.Pt
	for name, tt := range map[string]struct {
		cfg   Config
		field string
		want  string // part of the message
	}{
		"width too small":     {Config{Size: at(15, 16)}, "size", "15x16, want 16..16384"},
		"height too large":    {Config{Size: at(16, 16385)}, "size", "16x16385, want 16..16384"},
		"only a width":        {Config{Size: at(640, 0)}, "size", "640x0"},
		"negative":            {Config{Size: at(-640, -480)}, "size", "-640x-480"},
		"too many pixels":     {Config{Source: "-", Size: at(16384, 16384)}, "size", "over the limit of 67108864"},
		"card too wide":       {Config{Size: at(8193, 720)}, "size", "want 16..8192"},
		"fps negative":        {Config{FPS: -1}, "fps", "is -1, want more than 0 and at most 1000"},
		"fps too high":        {Config{FPS: 1000.5}, "fps", "1000.5"},
		"fps no number":       {Config{FPS: math.NaN()}, "fps", "NaN"},
		"fps infinite":        {Config{FPS: math.Inf(1)}, "fps", "Inf"},
		"quality negative":    {Config{Quality: -1}, "quality", "is -1, want 1..100"},
		"quality too high":    {Config{Quality: 101}, "quality", "is 101, want 1..100"},
		"limit negative":      {Config{MaxFrame: -1}, "max-frame", "-1"},
		"format unknown":      {Config{Source: "-", Format: "h264"}, "format", `"h264", want mjpeg, y4m or bgr24`},
		"format of the card":  {Config{Format: "y4m"}, "format", "standard input"},
		"raw without size":    {Config{Source: "-", Format: "bgr24"}, "format", "--size WxH"},
		"looped pipe":         {Config{Source: "-", Stdin: strings.NewReader(""), Loop: true}, "loop", "needs a file"},
		"no such kind":        {Config{Source: "camera0"}, "source", "want test, images:DIR"},
		"an address":          {Config{Source: "rtmp://me:secret@cam/1?key=x"}, "source", "ffmpeg -i rtmp://...@cam/1?... -f"},
		"camera of no number": {Config{Source: "camera:x"}, "source", `"camera:x", want camera:N`},
		"negative camera":     {Config{Source: "camera:-1"}, "source", "want camera:N"},
		"camera too high":     {Config{Source: "camera:256"}, "source", "0..255"},
		"no host":             {Config{Source: "rtsp:///1"}, "source", "want SCHEME://"},
		"bad port":            {Config{Source: "http://me:secret@cam:8o/"}, "source", "is http://...@cam:8o/, which is no address"},
		"bad password":        {Config{Source: "mjpeg+http://me:sec#ret@cam/"}, "source", "no address: want SCHEME"},
		"one slash":           {Config{Source: "http:/me:s3cret@cam/x"}, "source", "is http:/...@cam/x, which is no address: want SCHEME"},
		"no slash":            {Config{Source: "http:me:s3cret@cam/x"}, "source", "is http:...@cam/x, which is no address"},
		"no slash, JPEGs":     {Config{Source: "Mjpeg+HTTP:me:s3@cret@cam/x?y=secret"}, "source", "is Mjpeg+HTTP:...@cam/x?..., which is no address"},
		"no slash, no user":   {Config{Source: "rtsp:cam/password=s3cret"}, "source", "is rtsp:cam/password=..., which is no address"},
		"no scheme":           {Config{Source: "me:s3cret@cam"}, "source", `"me:...@cam", which is no file`},
		"a scheme unknown":    {Config{Source: "rtmp://cam/1/token=s3cret"}, "source", "rtmp://cam/1/token=..."},
		"images of nothing":   {Config{Source: "images:"}, "source", "without a directory"},
		"bad pattern":         {Config{Source: "images:[a"}, "source", "pattern"},
		"card without room":   {Config{Size: at(100, 100), Timecode: true}, "timecode", "192x160"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Open(t.Context(), tt.cfg)
			if err == nil {
				s.Close()
				t.Fatal("opened")
			}
			var ce *ConfigError
			if strings.Contains(err.Error(), "sec") {
				t.Errorf("the password is shown: %v", err)
			}
			if !errors.As(err, &ce) || ce.Field != tt.field || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "capture: "+tt.field) {
				t.Errorf("got %v, want a ConfigError of %s with %q", err, tt.field, tt.want)
			}
		})
	}
}

func TestOpenMissing(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "empty.mp4", nil)
	writeFile(t, dir, "notes.txt", []byte("nothing to see"))
	for source, want := range map[string]string{
		dir + "/gone.mp4":                   "no such video file",
		"gone.mp4":                          "no such video file",
		dir:                                 "say images:" + dir,
		dir + "/empty.mp4":                  "empty.mp4 is empty",
		os.DevNull:                          "is not a regular file",
		"images:" + dir:                     "no *.jpg or *.jpeg",
		"me:s3cret@cam/x.mp4":               "no such video file: stat me:...@cam/x.mp4: no such file",
		dir + "/a\nb\x1b[31m.mkv":           `a\nb\x1b[31m.mkv": no such file`,
		dir + "/\xff\u202e.mkv":             `\xff\u202e.mkv": no such file`,
		"images:http://me:s3cret@cam/1.jpg": "stat http://...@cam/1.jpg: no such file",
		"images:" + dir + "/x":              "no such directory",
		"images:" + dir + "/*.x":            "no file matches",
		"images:" + dir + "/*.txt": "none of 1 files is a JPEG that can be shown: " +
			dir + "/notes.txt: codec: not a whole, valid JPEG",
	} {
		s, err := Open(t.Context(), Config{Source: source})
		if err == nil {
			s.Close()
			t.Errorf("%s: opened", source)
			continue
		}
		if text := err.Error(); strings.Contains(text, "s3cret") || strings.ContainsAny(text, "\n\x1b") || strings.Count(text, "capture: ") != 1 {
			t.Errorf("%q shows what it must not: %q", source, text)
		}
		var ce *ConfigError
		if !strings.HasPrefix(err.Error(), "capture: ") || !strings.Contains(err.Error(), want) || errors.As(err, &ce) {
			t.Errorf("%s: got %v, want %q", source, err, want)
		}
		if strings.Contains(source, "gone") && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v does not match fs.ErrNotExist", source, err)
		}
	}
}

func TestOpenAfterContext(t *testing.T) {
	why := errors.New("changed my mind")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	for _, source := range []string{"test", "-", "images:."} {
		if _, err := Open(ctx, Config{Source: source, Stdin: strings.NewReader("")}); !errors.Is(err, why) {
			t.Errorf("%s: got %v, want %v", source, err, why)
		}
	}
}
