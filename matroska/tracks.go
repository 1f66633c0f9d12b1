package matroska

import (
	"fmt"
	"math"
	"time"
)

// checkEBML looks at the EBML header.
func checkEBML(content []byte) error {
	docType, limits := "", map[uint32]uint64{idReadVersion: 1, idMaxIDLength: 4, idMaxSizeLength: 8}
	err := children(content, func(e element) error {
		if e.id == idDocType {
			docType = e.text()
		}
		if most, ok := limits[e.id]; ok {
			if v, err := e.uint(); err != nil || v > most {
				return fmt.Errorf("%w: its EBML header says %d in element %X, and up to %d is read", ErrFormat, v, e.id, most)
			}
		}
		return nil
	})
	if err == nil && docType != "matroska" && docType != "webm" {
		err = fmt.Errorf("%w: it is EBML of type %q", ErrFormat, docType)
	}
	return err
}

// parseInfo returns the nanoseconds of a tick beside the Info.
func parseInfo(content []byte) (i Info, scale uint64, err error) {
	scale = uint64(time.Millisecond) // RFC 9559 section 5.1.2.9
	var duration float64             // ticks
	err = children(content, func(e element) (err error) {
		switch e.id {
		case idTimestampScale:
			scale, err = e.uint()
			if err == nil && (scale == 0 || scale > uint64(time.Hour)) {
				err = fmt.Errorf("%w: ticks of %d ns", ErrFormat, scale)
			}
		case idDuration:
			duration, err = e.float()
		case idDateUTC:
			if len(e.content) == 8 {
				var v uint64
				v, err = e.uint()
				i.Date = dateZero.Add(time.Duration(v))
			}
		case idWritingApp:
			i.Software = e.text()
		}
		return err
	})
	if ns := duration * float64(scale); ns > 0 && ns < math.MaxInt64 {
		i.Duration = time.Duration(ns)
	}
	return i, scale, err
}

// track is a TrackEntry.
type track struct {
	number, kind  uint64
	codec         string
	width, height uint64
	interval      uint64 // ns
	prefix        []byte // of every frame, left out of the file
	encoded       string // why frames cannot be read as they are; "" if they can
}

const kindVideo = 1

// videoTrack returns the first video track, which must be of JPEGs.
func videoTrack(tracks []byte) (found track, err error) {
	err = children(tracks, func(e element) error {
		if e.id != idTrackEntry || found.kind == kindVideo {
			return nil
		}
		t, err := parseTrack(e.content)
		if t.kind == kindVideo {
			found = t
		}
		return err
	})
	switch {
	case err != nil:
		return found, err
	case found.codec != codecMJPEG:
		return found, &CodecError{found.codec}
	case found.encoded != "":
		return found, fmt.Errorf("matroska: the video's frames are %s, which is not read", found.encoded)
	}
	return found, nil
}

func parseTrack(content []byte) (t track, err error) {
	err = children(content, func(e element) (err error) {
		switch e.id {
		case idTrackNumber:
			t.number, err = e.uint()
		case idTrackType:
			t.kind, err = e.uint()
		case idCodecID:
			t.codec = e.text()
		case idDefaultDuration:
			t.interval, err = e.uint()
		case idEncodings:
			err = t.encodings(e.content)
		case idVideo:
			err = children(e.content, func(e element) (err error) {
				switch e.id {
				case idPixelWidth:
					t.width, err = e.uint()
				case idPixelHeight:
					t.height, err = e.uint()
				}
				return err
			})
		}
		return err
	})
	return t, err
}

// encodings handles the one common way of packing frames, by which mkvmerge leaves
// out the bytes that all of them begin with (RFC 9559 section 5.1.4.1.31).
func (t *track) encodings(content []byte) error {
	n := 0
	return children(content, func(e element) error {
		if e.id != idEncoding {
			return nil
		}
		if n++; n > 1 {
			t.encoded = "packed more than once"
			return nil
		}
		return t.encoding(e.content)
	})
}

func (t *track) encoding(content []byte) error {
	scope, kind, algo := uint64(1), uint64(0), uint64(0)
	compressed := false
	var prefix []byte
	err := children(content, func(e element) (err error) {
		switch e.id {
		case idEncodingScope:
			scope, err = e.uint()
		case idEncodingType:
			kind, err = e.uint()
		case idCompression:
			compressed = true
			err = children(e.content, func(e element) (err error) {
				switch e.id {
				case idCompAlgo:
					algo, err = e.uint()
				case idCompSettings:
					prefix = e.content
				}
				return err
			})
		}
		return err
	})
	const frames, headerStripping = 1, 3
	switch {
	case err != nil || scope&frames == 0:
	case kind != 0:
		t.encoded = "encrypted"
	case compressed && algo == headerStripping:
		t.prefix = prefix
	default:
		t.encoded = fmt.Sprintf("compressed by algorithm %d", algo)
	}
	return err
}
