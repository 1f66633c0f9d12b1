// Package trial runs the measurements that package bench tells about: the very
// `framegram send` and `framegram view` as processes of their own, on this machine's
// loopback interface or on the two hosts of a netlab link, each writing a trace.
//
// A [Plan] is a list of trials: every transport at every point of a sweep, repeated.
// The transports take turns, in an order that is reversed with every repeat, so that a
// machine which drifts treats them alike. On an emulated link every repeat has the next
// seed, and all transports of a repeat have the same. A trial that fails, because a process or the
// link died, is a Run with an Err; the others go on.
//
// Over udp the viewer listens and is sent to, or asks the sender, or both meet in a
// multicast group: [Connects]. A viewer that asks is started once the sender serves, and
// its frames are due from then on.
//
// A [Matrix] is the program's own regression set: many cells, each way once in each, and
// several runs at a time on links of their own.
package trial
