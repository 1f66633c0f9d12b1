package tcp

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

// What the look-up of a name says when there is none; no test asks a real one.
func TestANameWithoutAnAddressIsSaid(t *testing.T) {
	err := fmt.Errorf("dialling: %w", &net.DNSError{Err: "no such host", Name: "nobody", IsNotFound: true})
	if got := unreached(err, "framegram send"); !strings.Contains(got, "no address found for that name") {
		t.Error(got)
	}
}
