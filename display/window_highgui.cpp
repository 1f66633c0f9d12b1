//go:build cgo && !nocv

#include <opencv2/highgui.hpp>

#include "window_highgui.h"

void fg_window_open(const char *name, int flags) { cv::namedWindow(name, flags); }

int fg_wait_key(int ms) { return cv::waitKeyEx(ms); }

void fg_window_inside(const char *name, int rect[4]) {
	cv::Rect r;
	try {
		r = cv::getWindowImageRect(name);
	} catch (const cv::Exception &) { // not every toolkit can tell
	}
	rect[0] = r.x, rect[1] = r.y, rect[2] = r.width, rect[3] = r.height;
}
