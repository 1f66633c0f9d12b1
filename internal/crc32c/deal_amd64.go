package crc32c

import "golang.org/x/sys/cpu"

// deal is fold, which writes what it has read to dst: 64 bytes at a time, of which piece is a multiple.
//
//go:noescape
func deal(crc uint32, b []byte, dst *byte, piece, stride int) uint32

// deals is whether a processor that folds can: the last bytes need a mask.
var deals = cpu.X86.HasAVX512BW && cpu.X86.HasBMI2
