//go:build !cgo || noturbo

package codec

const pure = true
