// Command framegram casts live video over a LAN: every frame a JPEG, every JPEG a
// few datagrams. See README.md.
package main

import (
	"os"

	"github.com/framegram/framegram/command"
)

func main() { os.Exit(command.Main(os.Args, os.Stdin, os.Stdout, os.Stderr)) }
