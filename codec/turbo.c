//go:build cgo && !noturbo

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "turbo.h"

// TurboJPEG 2 cannot be asked for its version; libjpeg's configuration header, which
// is of the same release, tells it where it is installed.
#if defined(__has_include)
#if __has_include(<jconfig.h>)
#include <jconfig.h>
#endif
#endif

#define TEXT2(x) #x
#define TEXT(x) TEXT2(x)

const char *fg_version(void)
{
#ifdef LIBJPEG_TURBO_VERSION
	return "libjpeg-turbo " TEXT(LIBJPEG_TURBO_VERSION);
#else
	return "libjpeg-turbo";
#endif
}

// The exact DCT both ways, TurboJPEG's default for decompressing only. The fast one
// loses quality for good and gains no time where SIMD does the exact one, and optimised
// Huffman tables take twice the time (and could not be shared by strips). 1080p from
// a film at quality 80, AVX2, one core, 2026-11, encode / decode (BenchmarkWorth):
//
//	4:2:0, exact DCT            118286 bytes   5.5 / 4.4 ms    43.3 dB
//	4:2:0, fast DCT             118341         1.0x            43.3
//	4:2:0, fast inverse DCT                          0.96x     42.1
//	4:2:0, own Huffman tables   109887         2.0x            43.3
//	4:2:0, smooth upsampling                         1.15x     44.3
//	4:2:2, exact DCT            134346         1.2x / 1.2x     45.2
//	4:4:4, exact DCT            164098         1.6x / 1.6x     46.1
#define ENCODE_FLAGS (TJFLAG_ACCURATEDCT | TJFLAG_NOREALLOC)

// Smooth upsampling of 4:2:0 mixes chroma across rows: a strip decoded alone would
// differ from the whole picture where it meets the next (see parallel.go). Repeating
// chroma is exact, faster, and what image/jpeg does; what it costs stands above.
// A progressive JPEG of a few kB can hold scans that take minutes: no more than 500.
#define DECODE_FLAGS (TJFLAG_ACCURATEDCT | TJFLAG_FASTUPSAMPLE | TJFLAG_LIMITSCANS)

fg_session *fg_open(int compress)
{
	fg_session *s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	s->tj = compress ? tjInitCompress() : tjInitDecompress();
	s->flags = compress ? ENCODE_FLAGS : DECODE_FLAGS;
	if (s->tj == NULL) {
		free(s);
		return NULL;
	}
	return s;
}

void fg_close(fg_session *s)
{
	if (s == NULL)
		return;
	if (s->tj != NULL)
		tjDestroy(s->tj);
	free(s->buf);
	free(s);
}

static int fail(fg_session *s, const char *text)
{
	snprintf(s->err, sizeof s->err, "%s", text);
	return -1;
}

// result turns what TurboJPEG returned into ours. The text is fetched here and not
// by the Go side because TurboJPEG keeps it per thread, and a goroutine may go on in
// another one.
static int result(fg_session *s, int rc)
{
	return rc == 0 ? 0 : fail(s, tjGetErrorStr2(s->tj));
}

// reserve makes room for the largest JPEG there can be. Pages never written to cost
// nothing.
static int reserve(fg_session *s, int width, int height, int chroma)
{
	unsigned long need = tjBufSize(width, height, chroma);
	if (need == (unsigned long)-1)
		return result(s, -1);
	if (need > s->cap) {
		free(s->buf);
		s->cap = 0;
		if ((s->buf = malloc(need)) == NULL)
			return fail(s, "no memory for the JPEG");
		s->cap = need;
	}
	s->len = s->cap;
	return 0;
}

int fg_encode_packed(fg_session *s, const unsigned char *pix, int width, int stride, int height,
	int format, int chroma, int quality)
{
	if (reserve(s, width, height, chroma) != 0)
		return -1;
	return result(s, tjCompress2(s->tj, pix, width, stride, height, format,
		&s->buf, &s->len, chroma, quality, s->flags));
}

int fg_encode_planar(fg_session *s, const unsigned char *y, const unsigned char *cb, const unsigned char *cr,
	int width, int ystride, int cstride, int height, int chroma, int quality)
{
	const unsigned char *planes[3] = {y, cb, cr};
	int strides[3] = {ystride, cstride, cstride};
	if (reserve(s, width, height, chroma) != 0)
		return -1;
	return result(s, tjCompressFromYUVPlanes(s->tj, planes, width, strides, height, chroma,
		&s->buf, &s->len, quality, s->flags));
}

// reopen gives s a new decompressor. tjDecompressHeader3 of TurboJPEG 2.1 leaves the one
// that met an error in the middle of the header, and every later JPEG is then refused
// for its "two SOI markers".
static int reopen(fg_session *s)
{
	tjDestroy(s->tj);
	s->tj = tjInitDecompress();
	return -1;
}

// expect makes sure that libjpeg reads the header as the caller did: the planes are
// laid out by it, and they are the caller's memory.
static int expect(fg_session *s, const unsigned char *jpeg, unsigned long n, int width, int height, int chroma)
{
	int w, h, c, space;
	if (s->tj == NULL && (s->tj = tjInitDecompress()) == NULL)
		return fail(s, "no memory for a decompressor");
	if (tjDecompressHeader3(s->tj, jpeg, n, &w, &h, &c, &space) != 0) {
		result(s, -1);
		return reopen(s);
	}
	if (w != width || h != height || c != chroma || (space != TJCS_YCbCr && space != TJCS_GRAY))
		return fail(s, "its header can be read two ways");
	return 0;
}

// decoded turns TurboJPEG's warnings into errors: it warns when data is missing or
// damaged and fills in grey. One warning is none: bytes between the last block and
// EOI. They come after every block was read without complaint, and common webcams
// send a few in each frame. (The text is that of the first warning, so that nothing
// is hidden behind it; it has been the same since libjpeg 4.)
static int decoded(fg_session *s, int rc)
{
	if (rc != 0 && tjGetErrorCode(s->tj) == TJERR_WARNING &&
		strstr(tjGetErrorStr2(s->tj), "extraneous bytes before marker 0xd9") != NULL)
		return 0;
	return result(s, rc);
}

int fg_decode_bgr(fg_session *s, const unsigned char *jpeg, unsigned long n, unsigned char *pix,
	int width, int stride, int height, int chroma)
{
	if (expect(s, jpeg, n, width, height, chroma) != 0)
		return -1;
	return decoded(s, tjDecompress2(s->tj, jpeg, n, pix, width, stride, height, TJPF_BGR, s->flags));
}

int fg_decode_planar(fg_session *s, const unsigned char *jpeg, unsigned long n,
	unsigned char *y, unsigned char *cb, unsigned char *cr,
	int width, int ystride, int cstride, int height, int chroma)
{
	unsigned char *planes[3] = {y, cb, cr};
	int strides[3] = {ystride, cstride, cstride};
	if (expect(s, jpeg, n, width, height, chroma) != 0)
		return -1;
	return decoded(s, tjDecompressToYUVPlanes(s->tj, jpeg, n, planes, width, strides, height, s->flags));
}
