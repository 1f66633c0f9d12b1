// Package heal decides how much parity a destination's frames need, from what its viewers
// report. It knows no socket and no clock: times are passed in.
//
// The law. Of each viewer the share of datagrams lost is estimated from the counters in its
// reports, once over the last seconds and once over the last quarter of a minute; the larger of
// both counts, so that loss is met at once and forgotten slowly. A destination's loss is that of its
// worst viewer. A block of k data fragments then gets the least parity p with which more than p of
// k + p are lost as rarely as the target says: rarely enough for resends to mend the rest
// where they come in time, once or twice; as good as never where they come too late.
//
// What is lost together (in bursts) exceeds that. It shows as frames that viewers lose all the
// same, and while they do the loss is taken for up to eight times what it is, which is forgotten in a minute.
package heal
