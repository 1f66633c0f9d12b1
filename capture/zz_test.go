package capture
import ("testing";"time";"image";"github.com/framegram/framegram/codec";"syscall")
func cpu() time.Duration { var r syscall.Rusage; syscall.Getrusage(1, &r); return time.Duration(r.Utime.Nano()) }
func TestZZ(t *testing.T) {
	mk := func(f func(c *card)) *card { c,_ := newCard(image.Pt(1920,1080),60); for i:=range uint32(100){c.paint(i,time.Now())}; f(c); return c }
	blank := func(c *card, r image.Rectangle){ for y:=r.Min.Y;y<r.Max.Y;y++ { for x:=r.Min.X;x<r.Max.X;x++ { c.img.Y[y*c.img.YStride+x]=panelLuma } } }
	cards := map[string]*card{"all": mk(func(*card){}), "noplate": mk(func(c *card){blank(c,c.at.plate)}), "nograt": mk(func(c *card){blank(c,c.at.across);blank(c,c.at.down)}), "noplate+grat": mk(func(c *card){blank(c,c.at.plate);blank(c,c.at.across);blank(c,c.at.down)}), "noramp": mk(func(c *card){blank(c,c.at.ramp)})}
	e,_ := codec.NewEncoder(codec.EncoderConfig{})
	tot := map[string]time.Duration{}; n:=map[string]int{}
	for range 40 { for k,c := range cards { s:=cpu(); b,_ := e.Append(nil,c.img); tot[k]+=cpu()-s; n[k]=len(b) } }
	for k := range tot { t.Log(k, tot[k]/40, n[k]) }
}
