// Package display holds the Sinks: what a viewer does with the frames that arrive.
//
//	window      a window on this screen (OpenCV's highgui); its key h tells the others
//	web         a page for browsers, with the picture and live figures
//	stdout      standard output, for another program: MJPEG, YUV4MPEG2 or raw BGR
//	images:DIR  every frame as a JPEG file, untouched
//	none        nowhere: frames are counted by who copies them, and not decoded
//
// [Open] gives one of them; [Measure] wraps any of them and records how old each
// picture is by the time it is decoded. [Record] writes them to a file as well, beside
// any display.
//
// No display ever waits for the past: one that is slow is given the newest frame
// next ([stream.Copy] sees to that), and of the web page's viewers each skips
// frames for itself alone. A frame that does not decode is counted and left out,
// never an error. There is no sound, and nothing here talks to the sender.
package display
