//go:build !linux

package udp

// What only Linux is asked: elsewhere the members of bridges are tried like any other
// interface, and hints name no settings.

func enslaved() map[int]bool { return nil }

func wireless(string) bool { return false }

func obstacles(*link, bool, bool) []string { return nil }
