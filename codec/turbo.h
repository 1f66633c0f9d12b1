// The few calls of the TurboJPEG 2 API that the Go side makes, each with single
// pointers and numbers only. All return 0, or -1 with the text of the error in err.

#include <turbojpeg.h>

typedef struct {
	tjhandle tj;
	int flags; // TJFLAG_, those of every call; what fg_open sets is right (BenchmarkWorth tries others)
	unsigned char *buf; // the last JPEG written; ours, grows as needed
	unsigned long cap, len;
	char err[256];
} fg_session;

const char *fg_version(void);

fg_session *fg_open(int compress); // NULL: no memory
void fg_close(fg_session *s);      // NULL is fine

int fg_encode_packed(fg_session *s, const unsigned char *pix, int width, int stride, int height,
	int format, int chroma, int quality);
int fg_encode_planar(fg_session *s, const unsigned char *y, const unsigned char *cb, const unsigned char *cr,
	int width, int ystride, int cstride, int height, int chroma, int quality);

// width, height and chroma are what the caller made room for; a JPEG in which
// libjpeg finds anything else is refused before it is decoded.
int fg_decode_bgr(fg_session *s, const unsigned char *jpeg, unsigned long n, unsigned char *pix,
	int width, int stride, int height, int chroma);
int fg_decode_planar(fg_session *s, const unsigned char *jpeg, unsigned long n,
	unsigned char *y, unsigned char *cb, unsigned char *cr,
	int width, int ystride, int cstride, int height, int chroma);
