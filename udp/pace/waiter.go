package pace

import "time"

// longestWait bounds one call of Until, so that its caller can look whether the run is over:
// a row of waits for one frame is no longer than MostPathSpread in any case, but by a rate that was asked
// for. Either way, a run that is over by its context is so within 100 ms.
const longestWait = 50 * time.Millisecond
