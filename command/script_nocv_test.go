//go:build !cgo || nocv

package command_test

const hasOpenCV = false
