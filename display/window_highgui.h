// What gocv lacks of highgui. All of it is called on the window's thread.
#ifdef __cplusplus
extern "C" {
#endif

void fg_window_open(const char *name, int flags);
int fg_wait_key(int ms);                              // -1 = none
void fg_window_inside(const char *name, int rect[4]); // x, y, width, height; width <= 0 = unknown

#ifdef __cplusplus
}
#endif
