// Package command is the command line: one file per command, each of which turns
// flags into the Config of the packages it joins, and joins them with a
// stream.Pump. What is said to the user, in which form, and the exit code are
// decided here and nowhere else.
package command
