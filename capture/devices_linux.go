package capture

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

func listDevices(ctx context.Context) ([]Device, error) { return devicesOf(ctx, kernel{}) }

func devicesOf(ctx context.Context, sys v4l2Sys) ([]Device, error) {
	paths, err := sys.list()
	if err != nil {
		return nil, fmt.Errorf("capture: looking for cameras: %w", err)
	}
	slices.SortFunc(paths, natural)
	var all []Device
	for _, path := range paths[:min(len(paths), maxDevices)] {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		d := Device{Path: path, Source: "camera:" + strings.TrimPrefix(path, "/dev/video")}
		switch err := d.ask(sys); {
		case err == nil:
		case errors.Is(err, errNoCapture), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENOENT):
			continue // metadata, an encoder, or unplugged just now
		default:
			c := camera{name: d.Source, path: path}
			d.Err = c.explain(err)
		}
		all = append(all, d)
	}
	return all, nil
}

func (d *Device) ask(sys v4l2Sys) error {
	node, err := sys.open(d.Path)
	if err != nil {
		return err
	}
	defer node.close()
	caps, err := queryNode(node)
	if err != nil {
		return err
	}
	d.Name, d.Driver, d.Bus = cString(caps.card[:]), cString(caps.driver[:]), cString(caps.busInfo[:])
	d.Formats, _ = listFormats(node)
	return nil
}

// queryNode asks a node what it is. One that gives no pictures is an errNoCapture.
func queryNode(node v4l2Node) (v4l2Capability, error) {
	var c v4l2Capability
	if err := node.ioctl(vidiocQueryCap, unsafe.Pointer(&c)); err != nil {
		return c, err
	}
	caps := c.capabilities
	if caps&capDeviceCaps != 0 {
		caps = c.deviceCaps
	}
	if caps&capVideoCapture == 0 || caps&capStreaming == 0 {
		return c, errNoCapture
	}
	return c, nil
}

// describeNode is what opening a camera needs to know of it.
func describeNode(node v4l2Node) (card string, formats []Format, codes []fourcc, err error) {
	caps, err := queryNode(node)
	if err != nil {
		return "", nil, nil, err
	}
	formats, codes = listFormats(node)
	return cString(caps.card[:]), formats, codes, nil
}

// listFormats asks until the driver has no more (EINVAL), fails, or has said enough.
func listFormats(node v4l2Node) (formats []Format, codes []fourcc) {
	for i := range uint32(maxFormats) {
		d := v4l2FmtDesc{index: i, typ: bufVideoCapture}
		if node.ioctl(vidiocEnumFmt, unsafe.Pointer(&d)) != nil {
			break
		}
		formats = append(formats, Format{
			FourCC: d.pixelFormat.String(), Description: cString(d.description[:]), Sizes: listSizes(node, d.pixelFormat),
		})
		codes = append(codes, d.pixelFormat)
	}
	return formats, codes
}

func listSizes(node v4l2Node, code fourcc) (sizes []FrameSize) {
	for i := range uint32(maxSizes) {
		e := v4l2FrmSizeEnum{index: i, pixelFormat: code}
		if node.ioctl(vidiocEnumSizes, unsafe.Pointer(&e)) != nil {
			break
		}
		s := FrameSize{
			Min: point(e.minWidth, e.minHeight), Max: point(e.maxWidth, e.maxHeight), Step: point(e.stepWidth, e.stepHigh),
		}
		if e.typ == typeDiscrete { // width and height are the first two
			s.Min = point(e.minWidth, e.maxWidth)
			s.Max, s.Step = s.Min, image.Pt(1, 1)
		}
		s.Step = image.Pt(max(s.Step.X, 1), max(s.Step.Y, 1))
		if s.Min.X < 1 || s.Min.Y < 1 || s.Max.X < s.Min.X || s.Max.Y < s.Min.Y {
			continue
		}
		s.Rates = listRates(node, code, s.Max)
		if sizes = append(sizes, s); e.typ != typeDiscrete {
			break // a range is the only answer
		}
	}
	slices.SortFunc(sizes, bySize)
	return slices.CompactFunc(sizes, func(a, b FrameSize) bool { return a.Min == b.Min && a.Max == b.Max })
}

// point keeps what a driver says within bounds that can be multiplied.
func point(x, y uint32) image.Point { return image.Pt(int(min(x, 1<<15)), int(min(y, 1<<15))) }

func listRates(node v4l2Node, code fourcc, size image.Point) (rates []RateRange) {
	for i := range uint32(maxRates) {
		e := v4l2FrmIvalEnum{index: i, pixelFormat: code, width: uint32(size.X), height: uint32(size.Y)}
		if node.ioctl(vidiocEnumInterval, unsafe.Pointer(&e)) != nil {
			break
		}
		r := RateRange{Min: e.min.rate(), Max: e.min.rate()} // the shortest interval is the highest rate
		if e.typ != typeDiscrete {
			r.Min = e.max.rate()
		}
		if r.Max == 0 {
			continue
		}
		r.Min = cmp.Or(r.Min, r.Max)
		if rates = append(rates, r); e.typ != typeDiscrete {
			break
		}
	}
	slices.SortFunc(rates, byRate)
	return slices.Compact(rates)
}
